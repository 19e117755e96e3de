import { type ScopedVars } from '@grafana/data';
import { type TemplateSrv } from '@grafana/runtime';
import { fieldsOf } from './language';
import { type ForesightQuery, type Population } from './query';

const specialInRegex = /[\\^$.*+?()[\]{}|]/g;

/**
 * Escapes a value for the inside of a string, whichever quotes are around it:
 * quotes and control characters of ASCII are written by their codes.
 */
function quoted(value: string): string {
  return value
    .replace(/\\/g, '\\\\')
    .replace(
      /["'`]|[^\P{Cc}\u0080-\u009f]/gu,
      (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
    );
}

/** Escapes a value for a regular expression. */
export function inRegex(value: string): string {
  return value.replace(specialInRegex, '\\$&');
}

/** Escapes a value for a regular expression inside a quoted string. */
function literal(value: string): string {
  return quoted(inRegex(value));
}

interface Variable {
  multi?: boolean;
  includeAll?: boolean;
}

/**
 * Writes a variable's value into PromQL or TraceQL. A variable that may have
 * several values stands in a regular expression (`=~"$service"`), any other in
 * a plain string (`="$service"`).
 */
export function matcherValue(value: string | string[], variable: Variable): string {
  if (Array.isArray(value)) {
    return value.length === 1 ? literal(value[0]) : `(${value.map(literal).join('|')})`;
  }
  return variable.multi || variable.includeAll ? literal(value) : quoted(value);
}

// The backend chooses the step from which models learn, so only it can fill
// these in.
const filledByBackend: ScopedVars = Object.fromEntries(
  ['__interval', '__rate_interval'].map((name) => [name, { text: `$${name}`, value: `$${name}` }])
);

/** Replaces the dashboard's variables in every field that a person writes. */
export function interpolate(query: ForesightQuery, variables: TemplateSrv, scoped: ScopedVars): ForesightQuery {
  const scopedVars = { ...scoped, ...filledByBackend };
  const plain = (text: string | undefined) => text && variables.replace(text, scopedVars);
  const matcher = (text: string | undefined) => text && variables.replace(text, scopedVars, matcherValue);
  const side = (population: Population | undefined): Population | undefined =>
    population && {
      version: plain(population.version),
      from: plain(population.from),
      to: plain(population.to),
      traceQL: matcher(population.traceQL),
      ago: plain(population.ago),
    };

  const written = new Map(Object.entries(query));
  const replaced = Object.entries(fieldsOf(query.queryType)).flatMap(([field, kind]) => {
    const value = written.get(field);
    switch (value !== undefined && kind) {
      case 'matcher':
        return [[field, matcher(value)]];
      case 'text':
        return [[field, plain(value)]];
      case 'population':
        return [[field, side(value)]];
      default:
        return [];
    }
  });
  return { ...query, ...Object.fromEntries(replaced) };
}
