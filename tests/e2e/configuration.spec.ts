import { expect, type Page, test } from '@playwright/test';
import { open, picture } from './pages';

// These data sources share one instance, which each test sets up from nothing.
const empty = '/api/datasources/uid/empty';

interface Servers {
  prometheus: string;
  tempo: string;
}

async function servers(page: Page): Promise<Servers> {
  const listed = await (await page.request.get('/api/datasources')).json();
  const { jsonData } = listed.find(({ uid }: { uid: string }) => uid === 'foresight');
  return { prometheus: jsonData.prometheus.url, tempo: jsonData.traces.url };
}

test.beforeEach(async ({ page }) => {
  await page.request.put(empty, { data: { jsonData: {}, secureJsonData: {} } });
  await open(page, 'settings/empty');
});

const metrics = (page: Page) => page.getByRole('group', { name: 'Metrics' });
const traces = (page: Page) => page.getByRole('group', { name: 'Traces' });
const save = (page: Page) => page.getByRole('button', { name: 'Save & test' }).click();

test('two URLs set up a data source, and the test says what was found', async ({ page }, info) => {
  const { prometheus, tempo } = await servers(page);
  await metrics(page).getByLabel('URL', { exact: true }).fill(prometheus);
  await traces(page).getByLabel('URL', { exact: true }).fill(tempo);
  await save(page);
  const said = page.getByRole('status').or(page.getByRole('alert'));
  await expect(said).toContainText('Prometheus 3');
  await expect(said).toContainText('TraceQL metrics found');
  await picture(page, info, 'settings');
});

test('existing data sources are picked, and reached through Grafana', async ({ page, baseURL }) => {
  for (const [group, name] of [
    [metrics(page), 'Prometheus'],
    [traces(page), 'Tempo'],
  ] as const) {
    await group.getByRole('radio', { name: 'Existing data source' }).click();
    await group.getByRole('combobox', { name: 'Select a data source' }).first().click();
    await page.getByRole('option', { name }).click();
  }
  await page.getByLabel('Grafana URL').fill(baseURL!);
  await page.getByLabel('Service account token').fill('any');
  await save(page);
  await expect(page.getByText(/Prometheus 3.*connected/)).toBeVisible();
});

test('what is on the screen stands below as a provisioning file', async ({ page }) => {
  await metrics(page).getByLabel('URL', { exact: true }).fill('https://mimir.example/prometheus');
  await page.getByRole('button', { name: 'Provisioning YAML' }).click();
  const file = page.getByLabel('Provisioning file', { exact: true });
  await expect(file).toContainText('url: https://mimir.example/prometheus');
  await expect(file).toContainText('type: foresight-observability-datasource');
});

test('a server that is not there is said plainly', async ({ page }) => {
  await metrics(page).getByLabel('URL', { exact: true }).fill('http://127.0.0.1:9');
  await save(page);
  await expect(page.getByText('Prometheus cannot be reached: dial 127.0.0.1:9').first()).toBeVisible();
  await expect(page.getByText('Tempo: not configured').first()).toBeVisible();
});

test('what the servers can do is found on request', async ({ page }) => {
  await open(page, 'settings/foresight');
  await page.getByRole('button', { name: 'Detected capabilities' }).click();
  await page.getByRole('button', { name: 'Look now' }).click();
  await expect(page.getByRole('img', { name: 'Works', exact: true })).toHaveCount(2);
  await expect(page.getByText(/Tempo .*TraceQL metrics found/)).toBeVisible();
});

test('what signals find for a service is shown, and can be taken over', async ({ page }, info) => {
  await open(page, 'settings/foresight');
  await page.getByRole('button', { name: 'Service signals' }).click();
  await page.getByLabel('Preview for service').fill('orders');
  await page.getByRole('button', { name: 'Show signals' }).click();
  const latency = page.getByRole('row', { name: /http 95 % latency/ });
  await expect(latency).toContainText(/\d/);
  await picture(page, info, 'signals');
  await latency.getByRole('button', { name: 'Correct http 95 % latency' }).click();
  await expect(page.getByRole('group', { name: 'http 95 % latency' }).getByLabel('PromQL')).toHaveValue(/"\$service"/);
});
