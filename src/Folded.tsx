import React from 'react';
import { ControlledCollapse } from '@grafana/ui';

interface Props {
  label: string;
  children: React.ReactNode;
}

/** What few need, out of sight at first. Said to be folded, or a screen reader does not know. */
export function Folded({ label, children }: Props) {
  return (
    <ControlledCollapse label={label} isOpen={false}>
      {children}
    </ControlledCollapse>
  );
}
