/** An iterable whose steps run in some context, wherever they are asked for. */
export async function* stepsWithin<T>(
  within: <R>(work: () => R) => R,
  iterable: AsyncIterable<T>,
): AsyncGenerator<T> {
  const steps = iterable[Symbol.asyncIterator]();
  let running = true;
  try {
    while (true) {
      running = false;
      const step = await within(() => steps.next());
      if (step.done === true) return;
      running = true;
      yield step.value;
    }
  } finally {
    // The consumer has left early; one that failed or ended is not told to.
    if (running) await within(() => steps.return?.());
  }
}
