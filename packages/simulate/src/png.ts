import { readFile } from 'node:fs/promises';
import { InputError } from './input-error.js';

/** What whoever wants PNG installs: a renderer in WebAssembly, and a font, since a machine may have none. */
const RENDERER = '@resvg/resvg-wasm';
const FONT = '@fontsource/roboto';
/** Pixels for each of the drawing's. */
const ZOOM = 2;

/** What is used of the renderer, whose own types are not found by an `import`. */
interface Renderer {
  initWasm(module: Uint8Array): Promise<void>;
  Resvg: new (svg: string, options: object) => Drawing;
}
interface Drawing {
  render(): { asPng(): Uint8Array; free(): void };
  free(): void;
}

/** A renderer starts once in a process. */
const started = new WeakMap<Renderer, Promise<void>>();

/**
 * Gets ready to draw SVG documents as PNG, the same on every machine: no font of the system is used.
 *
 * @param require - the `require` of a module that the optional peers are installed beside
 * @throws (rejects) with an {@link InputError} when they are not installed
 */
export async function pngPainter(require: NodeJS.Require): Promise<(svg: string) => Uint8Array> {
  const renderer = require(found(require, RENDERER)) as Renderer;
  const [wasm, roboto] = await Promise.all([
    readFile(found(require, `${RENDERER}/index_bg.wasm`)),
    readFile(found(require, `${FONT}/files/roboto-latin-400-normal.woff2`)),
  ]);
  if (!started.has(renderer)) started.set(renderer, renderer.initWasm(wasm));
  await started.get(renderer);
  const font = { fontBuffers: [roboto], defaultFontFamily: 'Roboto', sansSerifFamily: 'Roboto' };
  return (svg) => {
    const drawing = new renderer.Resvg(svg, { fitTo: { mode: 'zoom', value: ZOOM }, font });
    const image = drawing.render();
    const png = image.asPng();
    image.free();
    drawing.free();
    return png;
  };
}

function found(require: NodeJS.Require, file: string): string {
  try {
    return require.resolve(file);
  } catch {
    throw new InputError(
      `a .png needs ${RENDERER} and ${FONT} beside @acache/simulate: npm install ${RENDERER} ${FONT}`,
    );
  }
}
