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
  const panel = (name: string) => page.getByTestId(`data-testid Panel header ${name}`);
  await expect(async () => {
    await page.goto('/d/foresight-deploy?var-service=orders');
    await expect(panel('Verdict')).toContainText('regressed', { timeout: 20_000 });
  }).toPass({ timeout: 180_000 });
  await expect(panel('What was compared')).toContainText('2.0.0');
  await expect(panel('Root cause')).toContainText('slow statement');
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

test('the overview says what is wrong, and which service is unusual', async ({ page }) => {
  const panel = (name: string) => page.getByTestId(`data-testid Panel header ${name}`);
  await page.goto('/d/foresight-overview');
  // An incident is told once several of its steps agree: minutes after the deploy.
  await expect(panel('Incidents')).toContainText(/No incident among|is slow/, { timeout: 120_000 });
  const orders = panel('Services').getByRole('row').filter({ hasText: 'orders' });
  await expect(orders).toContainText('latency');
  await expect(orders).toContainText('2.0.0');
  for (const service of ['cart', 'web']) {
    await expect(panel('Services')).toContainText(service);
  }
});

for (const [width, theme] of [
  [390, 'dark'],
  [800, 'light'],
  [1280, 'light'],
  [1920, 'dark'],
] as const) {
  test(`the overview and a service are legible at ${width} pixels, ${theme}`, async ({ page }, info) => {
    await page.setViewportSize({ width, height: 1400 });
    for (const uid of ['foresight-overview', 'foresight', 'foresight-deploy']) {
      await page.goto(`/d/${uid}?var-service=orders&theme=${theme}`);
      await answered(page);
      await expect(page.getByText('orders').first()).toBeVisible();
      await picture(page, info, `${uid}-${width}-${theme}`);
    }
  });
}
