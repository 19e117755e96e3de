import React, { useEffect, useRef } from 'react';
import { CodeEditor, Field, type Monaco, type MonacoEditor } from '@grafana/ui';

interface Props {
  value: string;
  onCommit: (expr: string) => void;
}

const lineHeight = 18;
const mostLines = 8;

/** PromQL, committed on leaving the field or by Shift+Enter. */
export function PromQLField({ value, onCommit }: Props) {
  const commit = useRef(onCommit);
  useEffect(() => {
    commit.current = onCommit;
  });
  const onMount = (editor: MonacoEditor, monaco: Monaco) => {
    editor.addCommand(monaco.KeyMod.Shift | monaco.KeyCode.Enter, () => commit.current(editor.getValue()));
  };
  const lines = Math.min(value.split('\n').length + 1, mostLines);
  return (
    <Field label="PromQL" description="A range of one or more series. Shift+Enter runs it." noMargin>
      <CodeEditor
        language="promql"
        value={value}
        height={lines * lineHeight + 12}
        showLineNumbers={false}
        showMiniMap={false}
        monacoOptions={{ ariaLabel: 'PromQL', folding: false, fontSize: 14, scrollBeyondLastLine: false }}
        onBlur={onCommit}
        onEditorDidMount={onMount}
      />
    </Field>
  );
}
