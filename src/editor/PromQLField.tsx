import React, { useEffect, useRef, useState } from 'react';
import { CodeEditor, Field, type Monaco, type MonacoEditor } from '@grafana/ui';

interface Props {
  value: string;
  onCommit: (expr: string) => void;
}

const lowest = 30;
const highest = 160;

/** PromQL, committed on leaving the field or by Shift+Enter. */
export function PromQLField({ value, onCommit }: Props) {
  const [height, setHeight] = useState(lowest);
  const commit = useRef(onCommit);
  useEffect(() => {
    commit.current = onCommit;
  });
  const onMount = (editor: MonacoEditor, monaco: Monaco) => {
    const fit = () => setHeight(Math.min(Math.max(editor.getContentHeight(), lowest), highest));
    editor.addCommand(monaco.KeyMod.Shift | monaco.KeyCode.Enter, () => commit.current(editor.getValue()));
    editor.onDidContentSizeChange(fit);
    fit();
  };
  return (
    <Field label="PromQL" description="Returns one or more series. Shift+Enter runs the query." noMargin>
      <CodeEditor
        language="promql"
        value={value}
        height={height}
        showLineNumbers={false}
        showMiniMap={false}
        monacoOptions={{
          ariaLabel: 'PromQL',
          folding: false,
          fontSize: 14,
          overviewRulerLanes: 0,
          padding: { top: 4, bottom: 4 },
          renderLineHighlight: 'none',
          scrollBeyondLastLine: false,
          wordWrap: 'on',
        }}
        onBlur={onCommit}
        // An empty field offers to start from something at once.
        onChange={(expr) => expr.trim() === '' && onCommit('')}
        onEditorDidMount={onMount}
      />
    </Field>
  );
}
