import { type Page } from '@playwright/test';

/** What a page holds after its garbage was collected. */
export interface Held {
  minute: number;
  heapMB: number;
  nodes: number;
  listeners: number;
}

/** Looks at a page once a minute. */
export async function watchMemory(page: Page, minutes: number): Promise<Held[]> {
  const session = await page.context().newCDPSession(page);
  const rows: Held[] = [];
  for (let minute = 0; minute <= minutes; minute++) {
    await session.send('HeapProfiler.collectGarbage');
    const { usedSize } = await session.send('Runtime.getHeapUsage');
    const { nodes, jsEventListeners } = await session.send('Memory.getDOMCounters');
    rows.push({ minute, heapMB: usedSize / 2 ** 20, nodes, listeners: jsEventListeners });
    console.log(JSON.stringify(rows.at(-1)));
    await page.waitForTimeout(minute < minutes ? 60_000 : 0);
  }
  return rows;
}

/** The least squares slope of the heap, in megabytes an hour. */
export function slope(rows: Held[]): number {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const minute = mean(rows.map((row) => row.minute));
  const heap = mean(rows.map((row) => row.heapMB));
  const shared = mean(rows.map((row) => (row.minute - minute) * (row.heapMB - heap)));
  return (60 * shared) / mean(rows.map((row) => (row.minute - minute) ** 2));
}
