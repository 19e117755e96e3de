import { locationUtil } from '@grafana/data';
import { fieldsOf } from '../language';
import {
  type AnomalyQuery,
  type BreachQuery,
  type CompositeQuery,
  type ForesightQuery,
  type ReplayQuery,
} from '../query';

export type ReplayedQuery = AnomalyQuery | BreachQuery | CompositeQuery;

/** Whether a rule on the query can be replayed. */
export function isReplayed(query: ForesightQuery): query is ReplayedQuery {
  const shape = query.queryType === 'anomaly' && query.distribution;
  return ['anomaly', 'breach', 'composite'].includes(query.queryType) && !shape;
}

/** How the rule on a question would have alerted, set as the provisioned rules are. */
export function replayOf(query: ReplayedQuery): ReplayQuery {
  const { refId, datasource, hide, key } = query;
  const left = ['format', 'view', 'value', 'live', 'feedback'];
  const asked = Object.keys(fieldsOf(query.queryType)).filter((field) => !left.includes(field));
  const kept = Object.entries(query).filter(([field]) => asked.includes(field));
  const question = { queryType: query.queryType, ...Object.fromEntries(kept) };
  return { refId, datasource, hide, key, queryType: 'replay', question, for: '2m', keepFiringFor: '5m' };
}

/** The question of a replay, to be asked by itself. */
export function questionOf({ refId, datasource, hide, key, question }: ReplayQuery): ForesightQuery | undefined {
  return question && ({ ...question, refId, datasource, hide, key } as ForesightQuery);
}

/** A replay in Explore, which the editor of a rule has no place for. */
export function exploreReplay(query: ReplayedQuery, uid: string): string {
  const pane = { datasource: uid, queries: [replayOf(query)], range: { from: 'now-30d', to: 'now' } };
  const panes = encodeURIComponent(JSON.stringify({ replay: pane }));
  return locationUtil.assureBaseUrl(`/explore?schemaVersion=1&panes=${panes}`);
}
