import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { type Extension } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { type GrafanaTheme2 } from '@grafana/data';

/** Grafana's colours for text, which are legible on both of its themes. */
export function look({ colors, isDark, shape, spacing, typography, zIndex }: GrafanaTheme2): Extension {
  const highlight = HighlightStyle.define([
    { tag: [tags.function(tags.variableName), tags.operatorKeyword], color: colors.primary.text },
    { tag: [tags.modifier, tags.logicOperator], color: colors.error.text },
    { tag: tags.labelName, color: colors.success.text },
    { tag: tags.string, color: colors.warning.text },
    { tag: tags.number, color: colors.info.text },
    { tag: tags.comment, color: colors.text.secondary },
  ]);
  const raised = {
    backgroundColor: colors.background.elevated,
    border: `1px solid ${colors.border.medium}`,
    borderRadius: shape.radius.default,
    color: colors.text.primary,
    zIndex: zIndex.portal,
  };
  const theme = EditorView.theme(
    {
      '&': {
        backgroundColor: colors.background.canvas,
        border: `1px solid ${colors.border.medium}`,
        borderRadius: shape.radius.default,
        color: colors.text.primary,
        fontSize: '14px',
      },
      '&.cm-focused': { outline: `2px solid ${colors.primary.main}` },
      '.cm-scroller': { fontFamily: typography.fontFamilyMonospace, lineHeight: 1.5, maxHeight: '160px' },
      '.cm-content': { caretColor: colors.text.primary, padding: spacing(0.5, 0) },
      '.cm-placeholder': { color: colors.text.secondary },
      '.cm-cursor': { borderLeftColor: colors.text.primary },
      '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
        backgroundColor: colors.action.selected,
      },
      '&.cm-focused .cm-matchingBracket': { backgroundColor: colors.action.focus, outline: 'none' },
      '.cm-tooltip': raised,
      '.cm-tooltip.cm-tooltip-autocomplete > ul': {
        fontFamily: typography.fontFamilyMonospace,
        maxHeight: '40vh',
        maxWidth: '90vw',
      },
      '.cm-tooltip-autocomplete > ul > li[aria-selected]': {
        backgroundColor: colors.action.selected,
        color: colors.text.primary,
      },
      '.cm-completionMatchedText': { fontWeight: typography.fontWeightBold, textDecoration: 'none' },
      '.cm-completionDetail': { color: colors.text.secondary },
      '.cm-help, .cm-completionInfo, .cm-diagnostic': { maxWidth: '480px', padding: spacing(0.5, 1) },
    },
    { dark: isDark }
  );
  return [theme, syntaxHighlighting(highlight)];
}
