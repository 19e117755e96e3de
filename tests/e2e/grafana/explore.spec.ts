import { expect, type Page, test } from '@playwright/test';
import { picture } from '../pages';
import { answered, choose } from './pages';

const datasource = { uid: 'foresight', type: 'foresight-observability-datasource' };
const range = { from: 'now-1h', to: 'now' };
const panes = JSON.stringify({ a: { datasource: 'foresight', queries: [{ refId: 'A', datasource }], range } });

test.beforeEach(async ({ page }) => {
  await page.goto(`/explore?schemaVersion=1&orgId=1&panes=${encodeURIComponent(panes)}`);
  await expect(page.getByRole('combobox', { name: 'Query type' })).toBeVisible();
});

const asked = (page: Page, queryType: string) =>
  page.waitForResponse(
    (response) =>
      response.url().includes('/api/ds/query') && response.request().postDataJSON().queries[0].queryType === queryType
  );

test('“Is a metric anomalous?” is answered with a chart', async ({ page }, info) => {
  const answer = asked(page, 'anomaly');
  await page.getByRole('button', { name: 'Requests', exact: true }).click();
  expect((await answer).status()).toBe(200);
  await expect(page.getByTestId('uplot-main-div').first()).toBeVisible();
  await answered(page);
  await picture(page, info, 'explore-anomaly');
});

test('“What did the deploy change?” is answered with a verdict', async ({ page }, info) => {
  await choose(page, 'Query type', 'What did the deploy change?');
  const answer = asked(page, 'traceDiff');
  await choose(page, 'Service', 'orders');
  expect((await answer).status()).toBe(200);
  await expect(page.getByText(/regressed|insufficient/).first()).toBeVisible();
  await answered(page);
  await picture(page, info, 'explore-trace-diff');
});

test('a live answer moves by itself', async ({ page }) => {
  let pushed = 0;
  page.on('websocket', (socket) =>
    socket.on('framereceived', ({ payload }) => {
      pushed += /"channel":"[^"]*ds\/foresight\/.*"pub"/.test(String(payload)) ? 1 : 0;
    })
  );
  await page.reload();
  await page.getByRole('button', { name: 'Requests', exact: true }).click();
  await page.getByRole('button', { name: 'Live', exact: true }).click();
  // The first may be a snapshot; what follows is new.
  await expect.poll(() => pushed, { timeout: 180_000 }).toBeGreaterThan(1);
});

test('an instant click in any picker leaves the page alive', async ({ page }) => {
  const crashes: string[] = [];
  page.on('pageerror', ({ message }) => crashes.push(message));
  for (const question of [
    'What will happen to a metric?',
    'When will it cross a limit?',
    'How did alerting perform?',
  ]) {
    await choose(page, 'Query type', question);
  }
  await choose(page, 'Show', 'Incidents');
  await page.getByRole('radio', { name: 'Alert', exact: true }).click();
  await choose(page, 'Measure', 'Lead time');
  await choose(page, 'Query type', 'What is the root cause?');
  await choose(page, 'Service', 'orders');
  await choose(page, 'Query type', 'Is a metric anomalous?');
  await expect(page.getByRole('button', { name: 'Requests', exact: true })).toBeVisible();
  expect(crashes.filter((message) => /#185|Maximum update depth/.test(message))).toEqual([]);
});
