import { expect, type Page, test } from '@playwright/test';
import { picture } from '../pages';

interface Rule {
  name: string;
  uid: string;
  health: string;
  lastError?: string;
  alerts?: Array<{ state: string; labels: Record<string, string> }>;
}

/** The provisioned rules with their states, as Grafana tells them. */
async function rules(page: Page): Promise<Rule[]> {
  const response = await page.request.get('/api/prometheus/grafana/api/v1/rules');
  const { data } = await response.json();
  return data.groups.flatMap(({ rules }: { rules: Rule[] }) => rules);
}

test('the editor of a provisioned rule previews one instance for each service', async ({ page }, info) => {
  await page.setViewportSize({ width: 1400, height: 1800 });
  await page.goto('/alerting/foresight-service-latency/edit');
  const instance = (service: string) =>
    page
      .getByTitle(new RegExp(`service_name=\\W*${service}\\b`))
      .last()
      .locator('..');
  await expect(async () => {
    await page.getByRole('button', { name: 'Preview', exact: true }).click();
    await expect(instance('orders')).toContainText('Firing', { timeout: 20_000 });
  }).toPass({ timeout: 180_000 });
  for (const service of ['cart', 'catalog']) {
    await expect(instance(service)).toContainText('Normal');
  }
  await expect(page.getByText(/^\d+ series: \d firing, \d+ normal$/)).toBeVisible();
  await picture(page, info, 'rule-preview');
});

test('every provisioned rule is evaluated without an error', async ({ page }) => {
  await expect
    .poll(async () => (await rules(page)).filter(({ health }) => !/^(ok|nodata)$/.test(health)), { timeout: 240_000 })
    .toEqual([]);
  expect((await rules(page)).length).toBeGreaterThan(8);
});

test('what the recording rules write is read from Prometheus', async ({ page }) => {
  const recorded = async (metric: string) => {
    const asked = `/api/datasources/proxy/uid/prometheus/api/v1/query?query=${metric}{service_name="orders"}`;
    return (await (await page.request.get(asked)).json()).data.result.length;
  };
  await expect.poll(() => recorded('foresight_anomaly_score'), { timeout: 140_000 }).toBe(1);
  await expect.poll(() => recorded('foresight_forecast'), { timeout: 140_000 }).toBe(1);
});

test('the incident fires the alert of the service that became slow', async ({ page }, info) => {
  const firing = async () => {
    const rule = (await rules(page)).find(({ uid }) => uid === 'foresight-service-latency');
    return rule?.alerts?.filter(({ state }) => state === 'Alerting').map(({ labels }) => labels.service_name);
  };
  await expect.poll(firing, { timeout: 280_000 }).toContain('orders');
  await page.goto('/alerting/list');
  await expect(page.getByText('Foresight').first()).toBeVisible();
  await picture(page, info, 'rules');
});
