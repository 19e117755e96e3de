import { expect, test } from '@playwright/test';
import { slope, watchMemory } from './memory';
import { answer, open } from './pages';

const minutes = Number(process.env.MEMORY_MINUTES ?? 0);

// Takes as long as it is told to watch: MEMORY_MINUTES=60 npx playwright test memory
test.skip(minutes === 0, 'MEMORY_MINUTES says how long to watch');

test('a page that streams holds no more memory later than at first', async ({ page }) => {
  test.setTimeout((minutes + 5) * 60_000);
  await open(page, 'explore');
  await page.getByRole('button', { name: 'Options' }).click();
  await page.getByLabel('History').fill('1d');
  await page.getByLabel('Step').fill('5s');
  await page.getByRole('button', { name: 'Requests', exact: true }).click();
  await answer(page);
  await page.getByRole('button', { name: 'Live', exact: true }).click();
  await expect(page.getByRole('region', { name: 'Answer' })).toHaveAttribute('data-state', 'Streaming');
  const rows = await watchMemory(page, minutes);
  // In the first minutes code is compiled and caches fill.
  expect(slope(rows.slice(minutes / 4))).toBeLessThan(2);
});
