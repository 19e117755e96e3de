import { type CompletionContext, type CompletionResult } from '@codemirror/autocomplete';
import { EditorState } from '@codemirror/state';
import { getTemplateSrv } from '@grafana/runtime';

/** Filled in by the backend, which chooses the step. */
const ofTime = ['__rate_interval', '__interval', '__range'];

/** The dashboard's variables, once a dollar sign is written. */
export function variables(context: CompletionContext): CompletionResult | null {
  const written = context.matchBefore(/\$\w*/);
  if (!written) {
    return null;
  }
  const names = [
    ...getTemplateSrv()
      .getVariables()
      .map(({ name }) => name),
    ...ofTime,
  ];
  return {
    from: written.from,
    options: names.map((name) => ({ label: `$${name}`, type: 'variable', boost: 99 })),
    validFor: /^\$\w*$/,
  };
}

export const variableCompletion = EditorState.languageData.of(() => [{ autocomplete: variables }]);
