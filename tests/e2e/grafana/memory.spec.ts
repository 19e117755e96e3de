import { expect, test } from '@playwright/test';
import { slope, watchMemory } from '../memory';

const minutes = Number(process.env.MEMORY_MINUTES ?? 0);

// Takes as long as it is told to watch.
test.skip(minutes === 0, 'MEMORY_MINUTES says how long to watch');

const query = {
  refId: 'A',
  datasource: { uid: 'foresight', type: 'foresight-observability-datasource' },
  queryType: 'anomaly',
  expr: 'sum by (service_name) (rate(http_server_request_duration_seconds_count[5m]))',
  history: '1d',
  step: '5s',
  live: true,
};
const range = { from: 'now-15m', to: 'now' };
const panes = JSON.stringify({ a: { datasource: 'foresight', queries: [query], range } });

test('Explore that streams holds little more memory later than at first', async ({ page }) => {
  test.setTimeout((minutes + 5) * 60_000);
  let pushed = 0;
  page.on('websocket', (socket) =>
    socket.on('framereceived', ({ payload }) => {
      pushed += String(payload).includes('"pub"') ? 1 : 0;
    })
  );
  await page.goto(`/explore?schemaVersion=1&orgId=1&panes=${encodeURIComponent(panes)}`);
  await expect(page.getByTestId('uplot-main-div').first()).toBeVisible();
  const rows = await watchMemory(page, minutes);
  expect(pushed).toBeGreaterThan(minutes);
  // In the first minutes code is compiled and caches fill. Four megabytes an hour were measured: RESULTS.md.
  expect(slope(rows.slice(minutes / 4))).toBeLessThan(10);
});
