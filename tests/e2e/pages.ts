import { expect, type Locator, type Page, type TestInfo } from '@playwright/test';

export type Theme = 'dark' | 'light';

/** Opens a page of the preview host. */
export async function open(page: Page, address: string, theme: Theme = 'dark') {
  await page.goto(`/?theme=${theme}#/${address}`);
  await expect(page.getByText('This is not Grafana')).toBeVisible();
}

/**
 * Chooses in one of Grafana's comboboxes, by typing and a click without a pause:
 * a choice that is told too early costs the page (src/editor/Picker.tsx).
 */
export async function choose(page: Page, label: string, option: string) {
  const box = page.getByRole('combobox', { name: label, exact: true });
  await box.click();
  await box.fill(option);
  await page.getByRole('option', { name: option }).first().click();
  await expect(box).toHaveValue(option);
}

const busy = ':is([data-state=NotStarted], [data-state=Loading])';

/**
 * Asks until everything has its answer: a slow machine's Tempo may need more than one
 * try. To ask again while answers are on their way would only begin the work anew.
 */
async function settled(page: Page, holds: () => Promise<void>) {
  let first = true;
  await expect(async () => {
    if (!first) {
      await page.getByRole('button', { name: 'Ask again' }).click();
    }
    first = false;
    await expect(page.locator('[data-state]').first()).toBeVisible();
    await expect(page.locator(busy)).toHaveCount(0, { timeout: 90_000 });
    await holds();
  }).toPass({ timeout: 200_000, intervals: [5000] });
}

/** The answer below the query editor, good or bad. */
export async function answer(page: Page): Promise<Locator> {
  const region = page.getByRole('region', { name: 'Answer' });
  await expect(region).toHaveAttribute('data-state', /^(Done|Streaming|Error)$/);
  return region;
}

/** The answer below the query editor, once it is one. */
export async function goodAnswer(page: Page): Promise<Locator> {
  const region = page.getByRole('region', { name: 'Answer' });
  await settled(page, () => expect(region).toHaveAttribute('data-state', /^(Done|Streaming)$/, { timeout: 1000 }));
  return region;
}

/** Every panel of a dashboard, once each has an answer without an error. */
export async function panels(page: Page): Promise<Locator> {
  await settled(page, () => expect(page.locator('[data-state=Error]')).toHaveCount(0, { timeout: 1000 }));
  return page.locator('section[data-state]');
}

/**
 * Keeps a picture among the artefacts of the run, and its upper part for the
 * documentation where PICTURES names the folder.
 */
export async function picture(page: Page, info: TestInfo, name: string) {
  const path = `${info.project.outputDir}/pictures/${name}.png`;
  await page.screenshot({ path, fullPage: true, animations: 'disabled' });
  if (process.env.PICTURES) {
    const small = { type: 'jpeg', quality: 60, scale: 'css', animations: 'disabled' } as const;
    await page.screenshot({ path: `${process.env.PICTURES}/${name}.jpg`, ...small });
  }
}
