import CopyWebpackPlugin from 'copy-webpack-plugin';
import path from 'path';
import type { Configuration } from 'webpack';
import grafanaConfig, { type Env } from './.config/webpack/webpack.config.ts';
import { importable } from './src/importable.ts';

// dist/ also holds what this build did not make: the backend's binaries, their
// manifest, and the file that keeps the folder in git.
const keep = /(^|[\\/])(\.gitkeep|gpx_[^\\/]*|go_plugin_build_manifest)$/;

// src/plugin.json is a symlink, whose own age says nothing of the manifest's: a
// cached build would copy an old one.
const manifest = path.resolve(process.cwd(), 'plugin.json');

const config = async (env: Env): Promise<Configuration> => {
  const base = await grafanaConfig(env);
  const cache =
    typeof base.cache === 'object' && base.cache.type === 'filesystem'
      ? { ...base.cache, buildDependencies: { ...base.cache.buildDependencies, manifest: [manifest] } }
      : base.cache;
  const bundled = new CopyWebpackPlugin({
    patterns: [
      {
        from: '*.json',
        context: path.resolve(process.cwd(), 'provisioning', 'dashboards'),
        to: 'dashboards/[name][ext]',
        transform: (dashboard) => importable(dashboard.toString()),
      },
    ],
  });
  return { ...base, cache, plugins: [...(base.plugins ?? []), bundled], output: { ...base.output, clean: { keep } } };
};

export default config;
