import { expect, test } from '@playwright/test';
import { answer, open } from './pages';

test('a live panel moves by itself', async ({ page }) => {
  await open(page, 'explore');
  await page.getByRole('button', { name: 'Options' }).click();
  await page.getByLabel('History').fill('1d');
  await page.getByLabel('Step').fill('15s');
  await page.getByRole('button', { name: 'Requests', exact: true }).click();
  await answer(page);
  await page.getByRole('button', { name: 'Live', exact: true }).click();
  const shown = page.getByRole('region', { name: 'Answer' });
  await expect(shown).toHaveAttribute('data-state', 'Streaming');
  const last = async () => {
    await shown.getByRole('img', { name: 'What the data source wants known' }).first().hover();
    return /the last point is of ([^.]*)/.exec(await page.getByRole('tooltip').innerText())?.[1];
  };
  await expect.poll(last).toBeTruthy();
  const before = await last();
  await expect.poll(last, { timeout: 60_000 }).not.toBe(before);
});
