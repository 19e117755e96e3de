import { expect, type Page } from '@playwright/test';

/** Chooses in one of Grafana's comboboxes, by keyboard. */
export async function choose(page: Page, label: string, option: string) {
  const box = page.getByRole('combobox', { name: label, exact: true });
  await box.click();
  await box.fill(option);
  await expect(page.getByRole('option', { name: option }).first()).toBeVisible();
  await box.press('ArrowDown');
  await box.press('Enter');
}

/** Waits until every query on the page is answered, and none of them with an error. */
export async function answered(page: Page) {
  await expect(page.getByLabel('Panel loading bar')).toHaveCount(0);
  await expect(page.getByTestId('data-testid Panel status error')).toHaveCount(0, { timeout: 1000 });
}
