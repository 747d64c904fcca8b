/** What a browser loads. */
export interface PageBundle {
  readonly script: string;
  readonly style: string;
}

/**
 * What esbuild makes of `page/`. The build writes it here (`build-page.mjs`), so that it is found wherever
 * this package is, bundled into somebody's service as well. In the sources there is none.
 */
export const bundle = undefined as PageBundle | undefined;
