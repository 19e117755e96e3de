import React, { useEffect, useState } from 'react';
import { type QueryEditorHelpProps } from '@grafana/data';
import { Button, Stack, Text } from '@grafana/ui';
import { type ForesightQuery, SCHEMA_VERSION } from '../query';
import { type Source } from '../source';
import { starters } from './starters';

type Asked = Omit<ForesightQuery, 'refId'>;

interface Example {
  title: string;
  tells: string;
  query: Asked;
}

/** What can be asked of metrics under well-known names, and of a service. */
export function examples(service: string): Example[] {
  return [
    {
      title: 'Unusually slow services',
      tells: 'The band in which latency is expected, and a score: 50 is about one point in a thousand, 75 an event.',
      query: { queryType: 'anomaly', expr: starters.latency.expr, direction: 'above' } as Asked,
    },
    {
      title: 'Which replica is the odd one out?',
      tells: 'Each instance against the others: what all of them do is usual.',
      query: { queryType: 'anomaly', expr: 'rate(process_cpu_seconds_total[5m])', peers: true } as Asked,
    },
    {
      title: 'How many requests will come?',
      tells: 'The next six hours with their 95 % interval, by the day and the week.',
      query: { queryType: 'forecast', expr: starters.requests.expr, horizon: '6h' } as Asked,
    },
    {
      title: 'Will latency reach one second?',
      tells: 'The probability within the hour, and when: a warning that comes before the limit.',
      query: { queryType: 'breach', expr: starters.latency.expr, threshold: 1, horizon: '1h' } as Asked,
    },
    {
      title: `Which resource will ${service} run out of?`,
      tells: 'Memory, processor, threads, file descriptors, disk, queue, connections: each as a share of its limit.',
      query: { queryType: 'breach', service, horizon: '4h' } as Asked,
    },
    {
      title: 'What is wrong right now?',
      tells: 'Incidents across all services, one for each cause, with the order in which services went wrong.',
      query: { queryType: 'incidents' } as Asked,
    },
    {
      title: 'Where do users give up?',
      tells: 'The journeys of the settings: success, latency and drop-off of each step, and the service to blame.',
      query: { queryType: 'journey' } as Asked,
    },
    {
      title: 'When is the error budget exhausted?',
      tells: 'What is left of 99.9 % over 30 days, what burnt it, and how likely it is exhausted within three days.',
      query: { queryType: 'budget', service, target: 0.999 } as Asked,
    },
    {
      title: 'Which labels explain a change of latency?',
      tells: 'The values of pod, node, route and other labels that carry it, exactly for sums and ratios.',
      query: { queryType: 'explain', expr: starters.latency.expr } as Asked,
    },
    {
      title: 'What changed?',
      tells: 'Deploys, scaling, configuration, restarts, nodes, certificates and jobs, and who announced each.',
      query: { queryType: 'changes' } as Asked,
    },
    {
      title: `How well is ${service}?`,
      tells: 'One score of traffic, latency, errors, resources and dependencies, and the part of each.',
      query: { queryType: 'composite', service } as Asked,
    },
    {
      title: `What did the last deploy of ${service} change?`,
      tells: 'The new version compared with the previous one, by call path, with a verdict and example traces.',
      query: { queryType: 'traceDiff', service } as Asked,
    },
    {
      title: `What is the root cause of a change in ${service}?`,
      tells: 'The deepest responsible calls, the likeliest first, with reasons to check.',
      query: { queryType: 'rootCause', service } as Asked,
    },
    {
      title: `Why is ${service} slow right now?`,
      tells: 'The services that account for it, traced along the calls by metrics, and by traces where there are any.',
      query: { queryType: 'rootCause', service, signal: 'latency' } as Asked,
    },
    {
      title: 'Which deploy is to blame?',
      tells: 'The deploys of the time range, the likeliest first: new pods against old ones in the same minutes.',
      query: { queryType: 'rootCause', service, view: 'changes' } as Asked,
    },
    {
      title: `What do the slow requests of ${service} have in common?`,
      tells:
        'Attributes, events and errors that tell slow requests from fast ones, with sizes and intervals. Set the limit to your own.',
      query: {
        queryType: 'traceDiff',
        service,
        view: 'attributes',
        baseline: { traceQL: '{ trace:duration <= 500ms }' },
        candidate: { traceQL: '{ trace:duration > 500ms }' },
      } as Asked,
    },
    {
      title: 'Who calls whom?',
      tells: 'A map of the services with rates, errors, durations and what is new.',
      query: { queryType: 'serviceMap' } as Asked,
    },
    {
      title: `What is inefficient in ${service}?`,
      tells: 'N+1 queries, duplicate calls, retries, waits, and what each would save.',
      query: { queryType: 'patterns', service } as Asked,
    },
    {
      title: 'What was deployed?',
      tells: 'Versions, when each arrived, and their share of the traffic.',
      query: { queryType: 'deploys' } as Asked,
    },
  ];
}

/** Examples that run as they stand, of the first service that is found. */
export function CheatSheet({ datasource, onClickExample }: QueryEditorHelpProps<ForesightQuery>) {
  const [service, setService] = useState<string>();
  useEffect(() => {
    let shown = true;
    (datasource as unknown as Source).names('services').then(
      ([first]) => shown && setService(first ?? 'my-service'),
      () => shown && setService('my-service')
    );
    return () => {
      shown = false;
    };
  }, [datasource]);
  if (!service) {
    return null;
  }
  return (
    <Stack direction="column" gap={2}>
      {examples(service).map(({ title, tells, query }) => (
        <div key={title}>
          <Button
            fill="text"
            onClick={() => onClickExample({ refId: 'A', schemaVersion: SCHEMA_VERSION, ...query } as ForesightQuery)}
          >
            {title}
          </Button>
          <Text element="p" color="secondary">
            {tells}
          </Text>
        </div>
      ))}
    </Stack>
  );
}
