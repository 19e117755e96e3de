import { type AdHocVariableFilter } from '@grafana/data';
import { inRegex } from './interpolate';
import { type Filter, type ForesightQuery, isMetricQuery } from './query';

const oneOf = (values: string[]) => values.map(inRegex).join('|');

/** A filter of a dashboard in the backend's words; undefined where it says nothing yet. */
function spoken({ key, operator, value, values }: AdHocVariableFilter): Filter | undefined {
  switch (operator) {
    case '=':
    case '!=':
    case '=~':
    case '!~':
      return key ? { key, operator, value } : undefined;
    case '=|':
      return { key, operator: '=~', value: oneOf(values ?? [value]) };
    case '!=|':
      return { key, operator: '!~', value: oneOf(values ?? [value]) };
    default:
      throw new Error(`The filter ${key} ${operator} ${value} cannot be asked of metrics: use =, !=, =~ or !~.`);
  }
}

/** The query with the filters of its dashboard; they concern questions about a metric. */
export function withFilters(query: ForesightQuery, filters: AdHocVariableFilter[] | undefined): ForesightQuery {
  const said = (filters ?? []).map(spoken).filter((filter) => filter !== undefined);
  return isMetricQuery(query) && said.length > 0 ? { ...query, filters: [...(query.filters ?? []), ...said] } : query;
}
