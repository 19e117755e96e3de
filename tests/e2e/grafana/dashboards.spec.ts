import { expect, test } from '@playwright/test';
import { readdirSync, readFileSync } from 'fs';
import { join } from 'path';
import { picture } from '../pages';
import { answered } from './pages';

const folder = join(__dirname, '../../../provisioning/dashboards');
const dashboards = readdirSync(folder)
  // foresight-self nothing scrapes Grafana here
  .filter((file) => file.endsWith('.json') && file !== 'foresight-self.json')
  .map((file): { uid: string; title: string; panels: Array<{ id: number }> } =>
    JSON.parse(readFileSync(join(folder, file), 'utf8'))
  );

// Grafana asks for a panel when it comes into view.
test.use({ viewport: { width: 1400, height: 2400 } });

test('the incident is caught', async ({ page }) => {
  const verdict = page.getByTestId('data-testid Panel header What did the deploy change?');
  await expect(async () => {
    await page.goto('/d/foresight-deploy?var-service=orders');
    await expect(verdict).toContainText('regressed', { timeout: 20_000 });
  }).toPass({ timeout: 180_000 });
  await expect(verdict).toContainText('2.0.0');
});

for (const { uid, title, panels } of dashboards) {
  test(`“${title}” shows every panel without an error`, async ({ page }, info) => {
    const answers = new Set<number>();
    page.on('response', (response) => answers.add(Number(response.request().headers()['x-panel-id'])));
    await page.goto(`/d/${uid}?var-service=orders`);
    await expect
      .poll(() => panels.filter(({ id }) => !answers.has(id)).map(({ id }) => id), { timeout: 120_000 })
      .toEqual([]);
    await answered(page);
    await picture(page, info, uid);
  });
}

test('each tile of the overview shows the score of its own service', async ({ page }) => {
  await page.goto('/d/foresight-overview');
  for (const service of ['cart', 'orders', 'web']) {
    const tile = page.getByTestId(`data-testid Panel header ${service}`);
    await expect(tile).toHaveText(new RegExp(`^${service}\\D*\\d+\\D*$`), { timeout: 60_000 });
  }
});
