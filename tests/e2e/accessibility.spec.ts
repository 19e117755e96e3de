import AxeBuilder from '@axe-core/playwright';
import { expect, type Page, test } from '@playwright/test';
import { choose, open, panels, type Theme } from './pages';

/**
 * What Grafana's own tables and palette bring along: unnamed buttons of filters, bodies
 * that scroll without the keyboard, and colours of cells.
 */
const scrolls = 'scrollable-region-focusable';
const grafanas = ['button-name', scrolls, 'color-contrast'];

/** What stands in nobody's way need not fail a build. */
async function serious(page: Page, ignored: string[] = []) {
  const { violations } = await new AxeBuilder({ page }).include('main').disableRules(ignored).analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, nodes }) =>
        `${id}: ${nodes.map(({ html, any }) => `${any[0]?.message} ${html.slice(0, 100)}`).join(' | ')}`
    );
}

const dashboards = [
  'foresight-overview',
  'foresight',
  'foresight-deploy',
  'foresight-capacity',
  'foresight-journeys',
  'foresight-inefficiencies',
  'foresight-impact',
  'foresight-replay',
];

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
    for (const question of [
      'What did the deploy change?',
      'How do users get through?',
      'How would a rule have alerted?',
      'How fast can it be rolled out?',
    ]) {
      await choose(page, 'Query type', question);
      expect(await serious(page, [scrolls])).toEqual([]); // of the answer's table
    }
  });

  test(`nothing in the suggestions of the PromQL field keeps anybody out (${theme})`, async ({ page }) => {
    await open(page, 'explore', theme);
    const field = page.getByRole('textbox', { name: 'PromQL' });
    await expect(field).toHaveAttribute('contenteditable', 'true');
    await field.click();
    await page.keyboard.type('rate(http_server');
    await expect(page.getByRole('listbox').getByRole('option').first()).toContainText('http_server');
    expect(await serious(page)).toEqual([]);
  });

  for (const uid of dashboards) {
    test(`nothing in the dashboard ${uid} keeps anybody out (${theme})`, async ({ page }) => {
      await open(page, `d/${uid}?var-service=orders`, theme);
      await panels(page);
      expect(await serious(page, grafanas)).toEqual([]);
    });
  }
}
