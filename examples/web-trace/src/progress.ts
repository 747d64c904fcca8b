import { Presets, SingleBar } from 'cli-progress';

interface Progress {
  update(done: number): void;
  stop(): void;
}

/** Shows how far `work` has come: a bar on a terminal, elsewhere (a log, say) one line for each quarter. */
export async function withProgress<T>(
  label: string,
  total: number,
  work: (onProgress: (done: number) => void) => Promise<T>,
  out = process.stdout,
): Promise<T> {
  const isTerminal = out.isTTY && process.env.TERM !== 'dumb';
  const progress = isTerminal ? bar(label, total, out) : lines(label, total, out);
  try {
    return await work((done) => progress.update(done));
  } finally {
    progress.stop();
  }
}

function bar(label: string, total: number, out: NodeJS.WriteStream): Progress {
  const moving = new SingleBar(
    {
      format: `${label} {bar} {percentage} % | {done} of {all} | {duration_formatted}`,
      stream: out,
      barsize: 30,
      hideCursor: true,
      gracefulExit: false, // It would see to signals only.
    },
    Presets.shades_classic,
  );
  const counts = (done: number) => ({
    done: done.toLocaleString('en'),
    all: total.toLocaleString('en'),
  });
  const stop = () => moving.stop();
  // Whatever ends the process, the cursor is there again.
  process.once('exit', stop);
  moving.start(total, 0, counts(0));
  return {
    update: (done) => moving.update(done, counts(done)),
    stop() {
      process.off('exit', stop);
      stop();
    },
  };
}

function lines(label: string, total: number, out: NodeJS.WriteStream): Progress {
  let shown = 0;
  return {
    update(done) {
      const quarters = Math.floor((4 * done) / total);
      if (quarters > shown) out.write(`${label} ${`${25 * quarters}`.padStart(3)} %\n`);
      shown = quarters;
    },
    stop: () => undefined,
  };
}
