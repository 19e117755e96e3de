import { defineConfig } from '@playwright/test';
import { join } from 'path';
import preview from '../../../playwright.config';

const home = process.env.GRAFANA_HOME;
if (!home) {
  throw new Error('Set GRAFANA_HOME to the folder of a Grafana (12.2 or newer).');
}

const port = 18766;

/** The tests in a real Grafana, which the demo starts, provisioned, over a lab with its incident. */
export default defineConfig({
  ...preview,
  testDir: '.',
  testIgnore: [],
  outputDir: join(__dirname, '../../../test-results/grafana'),
  // The first answer waits for the lab's incident; Grafana's own pages load slowly.
  timeout: 300_000,
  expect: { timeout: 60_000 },
  use: { ...preview.use, baseURL: `http://127.0.0.1:${port}/`, viewport: { width: 1400, height: 1000 } },
  webServer: {
    ...preview.webServer,
    command: `exec go run ./tests/demo -stage -port ${port}`,
    cwd: join(__dirname, '../../..'),
    url: `http://127.0.0.1:${port}/api/health`,
    env: { GRAFANA_HOME: home },
  },
});
