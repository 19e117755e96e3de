import {
  applyFieldOverrides,
  type DataFrame,
  type FieldConfigPropertyItem,
  type FieldConfigSource,
  type GrafanaTheme2,
  Registry,
  type ScopedVars,
} from '@grafana/data';
import { templates } from './templates';

/** What lines look like where a panel does not say. */
const custom = {
  drawStyle: 'line',
  lineInterpolation: 'linear',
  lineWidth: 1,
  fillOpacity: 0,
  gradientMode: 'none',
  showPoints: 'auto',
  pointSize: 5,
  spanNulls: false,
  axisPlacement: 'auto',
  scaleDistribution: { type: 'linear' },
  hideFrom: { legend: false, tooltip: false, viz: false },
  stacking: { mode: 'none', group: 'A' },
  thresholdsStyle: { mode: 'off' },
};

const plain = ['unit', 'min', 'max', 'decimals', 'displayName', 'noValue', 'color', 'thresholds', 'links', 'mappings'];
const drawn = [
  ...Object.keys(custom),
  'axisSoftMax',
  'axisSoftMin',
  'align',
  'width',
  'hidden',
  'filterable',
  'cellOptions',
  'fillBelowTo',
];

const property = (path: string, isCustom: boolean): FieldConfigPropertyItem => ({
  id: isCustom ? `custom.${path}` : path,
  path,
  name: path,
  isCustom,
  editor: () => null,
  override: () => null,
  process: (value) => value,
  shouldApply: () => true,
});

const registry = new Registry<FieldConfigPropertyItem>(() => [
  ...plain.map((path) => property(path, false)),
  ...drawn.map((path) => property(path, true)),
]);

export const replaced = (scopedVars: ScopedVars) => (text: string, more?: ScopedVars, format?: string | Function) =>
  templates.replace(text, { ...scopedVars, ...more }, format);

/** A panel's settings written into its frames, over what the frames say themselves. */
export function configured(
  frames: DataFrame[],
  source: FieldConfigSource,
  theme: GrafanaTheme2,
  scoped: ScopedVars = {}
) {
  const { defaults, overrides } = source;
  const color = defaults.color ?? { mode: 'palette-classic' };
  return applyFieldOverrides({
    data: frames,
    fieldConfig: { defaults: { ...defaults, color, custom: { ...custom, ...defaults.custom } }, overrides },
    fieldConfigRegistry: registry,
    replaceVariables: replaced(scoped),
    theme,
  });
}
