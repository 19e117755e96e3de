// Builds the preview host's page into dist/.
import { build } from 'esbuild';
import { copyFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

// Packages in CommonJS whose default export webpack finds for Grafana's modules;
// esbuild, as node, hands over the whole package instead.
const withDefault =
  /^(calculate-size|react-custom-scrollbars-2|slate-plain-serializer|@rc-component\/picker\/lib\/.*)$/;
const defaults = {
  name: 'defaults',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: withDefault }, ({ path, resolveDir, namespace }) =>
      namespace === 'default' ? undefined : { path, namespace: 'default', pluginData: resolveDir }
    );
    onLoad({ filter: /./, namespace: 'default' }, ({ path, pluginData: resolveDir }) => ({
      contents: `export * from '${path}'; export { default } from '${path}';`,
      resolveDir,
    }));
  },
};

await build({
  entryPoints: { main: here('main.tsx'), 'editor.worker': 'monaco-editor/esm/vs/editor/editor.worker.js' },
  outdir: here('dist'),
  bundle: true,
  minifySyntax: true,
  minifyWhitespace: true,
  plugins: [defaults],
  define: { 'process.env.NODE_ENV': '"production"', global: 'window' },
  loader: { '.svg': 'dataurl', '.ttf': 'dataurl' },
  absWorkingDir: here('../../..'),
  tsconfigRaw: { compilerOptions: { jsx: 'react-jsx' } },
  logLevel: 'warning',
});
await copyFile(here('index.html'), here('dist/index.html'));
