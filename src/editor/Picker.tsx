import React from 'react';
import { Combobox, type ComboboxOption } from '@grafana/ui';

interface Props<T extends string> extends Omit<React.ComponentProps<typeof Combobox<T>>, 'onChange' | 'width'> {
  width?: number;
  /** Hears of null where the choice can be cleared. */
  onChange: (option: ComboboxOption<T> | null) => void;
}

/**
 * Grafana's Combobox, which tells of a choice once the click is over. Told while
 * React commits the click, a page that then shows or hides anything with a
 * tooltip dies of "Maximum update depth exceeded" (grafana/grafana#130469).
 */
export function Picker<T extends string>({ onChange, ...rest }: Props<T>) {
  const later = (option: ComboboxOption<T> | null) => setTimeout(() => onChange(option));
  return <Combobox<T> {...(rest as React.ComponentProps<typeof Combobox<T>>)} onChange={later} />;
}
