import { expect, test } from '@playwright/test';
import { picture } from '../pages';

test('the provisioned data source shows its settings, and its test passes', async ({ page }, info) => {
  await page.goto('/connections/datasources/edit/foresight');
  for (const part of ['Metrics', 'Traces']) {
    await expect(page.getByRole('group', { name: part }).getByLabel('URL', { exact: true })).toHaveValue(/^http:/);
  }
  await page.getByRole('button', { name: 'Test', exact: true }).click();
  const said = page.getByRole('status').or(page.getByRole('alert')).filter({ hasText: 'connected' });
  await expect(said).toContainText(/Prometheus 3.*connected.*Tempo.*TraceQL metrics found/s);
  await picture(page, info, 'grafana-settings');
});
