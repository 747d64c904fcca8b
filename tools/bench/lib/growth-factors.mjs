import { number, table } from './table.mjs';

/**
 * How many times the cost at the largest size is that at the smallest, beside the baseline's, where the
 * case grows with `entries`.
 *
 * @param {import('./case.mjs').Case} measured
 * @param {readonly import('./results.mjs').Result[]} results
 */
export function growthFactors({ figures = [], name, variants }, results) {
  const own = results.filter((result) => result.case === name && result.absolute !== undefined);
  const labels = variants(true)
    .map(({ label }) => label)
    .filter((label) => own.some(({ variant }) => variant === label));
  const [smallest, largest] = [labels[0], labels[labels.length - 1]];
  if (labels.length < 2) return '';
  const contestants = [...new Set(own.map(({ contestant }) => contestant))];
  return table(
    [`${largest} : ${smallest}`, ...figures.map((figure) => figure.name)],
    contestants.map((contestant) => [
      contestant,
      ...figures.map((figure) => {
        const [from, to] = [smallest, largest].map(
          (variant) =>
            own.find(
              (result) =>
                result.contestant === contestant &&
                result.variant === variant &&
                result.figure?.name === figure.name,
            )?.absolute?.median,
        );
        return from === undefined || to === undefined ? '' : `${number(to / from)} ×`;
      }),
    ]),
  );
}
