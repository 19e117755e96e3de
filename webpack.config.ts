import type { Configuration } from 'webpack';
import grafanaConfig, { type Env } from './.config/webpack/webpack.config.ts';

// dist/ also holds what this build did not make: the backend's binaries, their
// manifest, and the file that keeps the folder in git.
const keep = /(^|[\\/])(\.gitkeep|gpx_[^\\/]*|go_plugin_build_manifest)$/;

const config = async (env: Env): Promise<Configuration> => {
  const base = await grafanaConfig(env);
  return { ...base, output: { ...base.output, clean: { keep } } };
};

export default config;
