import React from 'react';
import {
  type DataFrame,
  type FieldConfigSource,
  type FieldDisplay,
  getDisplayValueAlignmentFactors,
  getFieldDisplayValues,
  type ScopedVars,
  VizOrientation,
} from '@grafana/data';
import { BarGaugeDisplayMode, BarGaugeNamePlacement } from '@grafana/schema';
import { BarGauge, BigValue, BigValueTextMode, useTheme2, VizRepeater } from '@grafana/ui';
import { replaced } from './fields';

interface Props {
  type: string;
  frames: DataFrame[];
  fieldConfig: FieldConfigSource;
  options: Record<string, any>;
  scopedVars: ScopedVars;
  width: number;
  height: number;
}

/** Single values: a stat, or bars for gauges of either kind. */
export function Values({ type, frames, fieldConfig, options, scopedVars, width, height }: Props) {
  const theme = useTheme2();
  const values = getFieldDisplayValues({
    data: frames,
    fieldConfig,
    reduceOptions: options.reduceOptions,
    replaceVariables: replaced(scopedVars),
    sparkline: options.graphMode === 'area',
    theme,
  });
  if (values.length === 0) {
    return <p>No data</p>;
  }
  const stat = type === 'stat';
  const draw = (one: FieldDisplay, size: { width: number; height: number }, factors: any) =>
    stat ? (
      <BigValue
        {...size}
        theme={theme}
        value={one.display}
        sparkline={one.sparkline}
        colorMode={options.colorMode}
        graphMode={options.graphMode}
        justifyMode={options.justifyMode}
        textMode={values.length > 1 ? BigValueTextMode.ValueAndName : options.textMode}
        alignmentFactors={factors}
        count={values.length}
      />
    ) : (
      <BarGauge
        {...size}
        theme={theme}
        value={values.length > 1 ? one.display : { ...one.display, title: undefined }}
        field={one.field}
        display={one.view?.getFieldDisplayProcessor(one.colIndex ?? 0)}
        orientation={VizOrientation.Horizontal}
        displayMode={BarGaugeDisplayMode.Gradient}
        namePlacement={BarGaugeNamePlacement.Auto}
        alignmentFactors={factors}
        isOverflow={false}
        showUnfilled
      />
    );
  return (
    <VizRepeater
      source={frames}
      renderCounter={0}
      width={width}
      height={height}
      orientation={VizOrientation.Horizontal}
      getValues={() => values}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={({ value, width, height, alignmentFactors }) => draw(value, { width, height }, alignmentFactors)}
    />
  );
}
