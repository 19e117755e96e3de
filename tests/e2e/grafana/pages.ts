import { expect, type Page } from '@playwright/test';

export { choose } from '../pages';

/** Waits until every query on the page is answered, and none of them with an error. */
export async function answered(page: Page) {
  await expect(page.getByLabel('Panel loading bar')).toHaveCount(0);
  await expect(page.getByTestId('data-testid Panel status error')).toHaveCount(0, { timeout: 1000 });
}
