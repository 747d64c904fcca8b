import { brotliCompressSync } from 'node:zlib';
import { build } from 'esbuild';

/** A small export of a package, and what a bundle of it alone may keep at most of a bundle of everything. */
const smallest = { '@acache/core': { name: 'makeKey', share: 1 / 3 } };

/** Whether a bundle has only what was imported. */
export async function checkTreeShaking(subject) {
  const { name } = subject.manifest;
  const problems = [];
  const unused = await bundle(subject, `import * as everything from '${name}';`);
  if (unused.length > 0) problems.push(`an unused import keeps ${unused.length} bytes in a bundle`);
  const small = smallest[name];
  if (small) {
    const one = await bundle(subject, `export { ${small.name} } from '${name}';`);
    const whole = await bundle(subject, `export * from '${name}';`);
    if (one.length > whole.length * small.share) {
      problems.push(`${small.name} alone keeps ${one.length} of ${whole.length} bytes in a bundle`);
    }
  }
  return problems;
}

/** The size of everything in the package, minified and compressed, without its dependencies. */
export async function compressedSize(subject) {
  return brotliCompressSync(await bundle(subject, `export * from '${subject.manifest.name}';`))
    .length;
}

async function bundle({ manifest, kind, consumer }, contents) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: consumer },
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    target: 'es2022',
    platform: kind === 'core' ? 'browser' : 'node',
    external: Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }),
    logLevel: 'silent',
  });
  return outputFiles[0].contents;
}
