import { defineConfig } from '@playwright/test';
import { accessSync, constants } from 'fs';
import { delimiter, join } from 'path';

/** The Chromium of this machine, of CHROMIUM or of the PATH. */
function chromium() {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const places = process.env.CHROMIUM ? [process.env.CHROMIUM] : folders.map((folder) => join(folder, 'chromium'));
  return places.find((place) => {
    try {
      accessSync(place, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

const port = Number(process.env.PREVIEW_PORT ?? 18765);

export default defineConfig({
  testDir: 'tests/e2e',
  testIgnore: 'grafana/**',
  // One lab, one plugin, one browser at a time: machines of two cores have enough to do.
  workers: 1,
  // On a machine that is busy with something else; the report tells of it.
  retries: process.env.CI ? 1 : 0,
  timeout: 240_000,
  expect: { timeout: 30_000 },
  reporter: [['list']],
  use: {
    baseURL: `http://127.0.0.1:${port}/`,
    viewport: { width: 1400, height: 900 },
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: chromium(),
      args: ['--no-sandbox', '--disable-quic', '--disable-background-networking'],
    },
  },
  webServer: {
    command: `exec go run ./tests/demo -stage -port ${port}`,
    url: `http://127.0.0.1:${port}/`,
    // The preview host, also where a Grafana is at hand: grafana/ has the tests there.
    env: { GRAFANA_HOME: '' },
    timeout: 300_000,
    // While working on the tests, a lab that runs there already saves half a minute.
    reuseExistingServer: !process.env.CI,
    gracefulShutdown: { signal: 'SIGTERM', timeout: 30_000 },
  },
});
