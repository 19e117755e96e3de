import AxeBuilder from '@axe-core/playwright';
import { expect, type Page, test } from '@playwright/test';
import { choose, open, type Theme } from './pages';

/** What stands in nobody's way need not fail a build. */
async function serious(page: Page) {
  const { violations } = await new AxeBuilder({ page }).include('main').analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`);
}

for (const theme of ['dark', 'light'] as Theme[]) {
  test(`nothing in the settings keeps anybody out (${theme})`, async ({ page }) => {
    await open(page, 'settings/foresight', theme);
    expect(await serious(page)).toEqual([]);
    const folded = page.getByRole('main').getByRole('button', { expanded: false });
    while ((await folded.count()) > 0) {
      await folded.first().click();
    }
    expect(await serious(page)).toEqual([]);
  });

  test(`nothing in the query editor keeps anybody out (${theme})`, async ({ page }) => {
    await open(page, 'explore', theme);
    await page.getByRole('button', { name: 'Options' }).click();
    expect(await serious(page)).toEqual([]);
    await choose(page, 'Query type', 'What did the deploy change?');
    expect(await serious(page)).toEqual([]);
  });
}
