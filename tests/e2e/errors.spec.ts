import { expect, test } from '@playwright/test';
import { answer, choose, open } from './pages';

test('a service that nobody knows is named as such', async ({ page }) => {
  await open(page, 'explore');
  await choose(page, 'Query type', 'How healthy is a service?');
  const box = page.getByRole('combobox', { name: 'Service', exact: true });
  await box.click();
  await box.fill('no-such-service');
  await page.getByRole('option', { name: 'no-such-service' }).click();
  await expect(await answer(page)).toContainText('no-such-service');
});

test('what Prometheus does not understand is said in its words', async ({ page }) => {
  await open(page, 'explore');
  await page.getByRole('textbox', { name: 'PromQL' }).click();
  await page.keyboard.type('sum(rate(');
  await page.keyboard.press('Shift+Enter');
  const shown = await answer(page);
  await expect(shown.getByRole('alert')).toContainText('parse error');
});
