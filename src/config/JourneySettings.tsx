import React from 'react';
import { type Journey, type JourneyStep } from '../settings';
import { type EditorProps, withSettings } from './options';
import { RowList } from './RowList';
import { TextSetting } from './TextSetting';
import { Folded } from '../Folded';

/** The ways of users through the services, step by step. */
export function JourneySettings({ options, onOptionsChange }: EditorProps) {
  return (
    <Folded label="User journeys">
      <p>
        A journey is a list of steps that users take, such as home, product, cart, checkout. Each step is an operation
        of a service, as span metrics name it.
      </p>
      <RowList<Journey>
        noun="journey"
        rows={options.jsonData.journeys}
        onRowsChange={(journeys) => onOptionsChange(withSettings(options, { journeys }))}
      >
        {(journey, set) => (
          <>
            <TextSetting label="Journey name" value={journey.name} onChange={(name) => set({ name })} required />
            <RowList<JourneyStep> noun="step" rows={journey.steps} onRowsChange={(steps) => set({ steps })}>
              {(step, change) => (
                <>
                  <TextSetting
                    label="Step name"
                    placeholder="the service and the operation"
                    value={step.name}
                    onChange={(name) => change({ name })}
                  />
                  <TextSetting
                    label="Service"
                    value={step.service}
                    onChange={(service) => change({ service })}
                    error={problem(step)}
                  />
                  <TextSetting
                    label="Operation"
                    placeholder="GET /cart"
                    value={step.operation}
                    onChange={(operation) => change({ operation })}
                  />
                  <TextSetting
                    label="TraceQL"
                    description="In place of service and operation. Its traces are sampled, without a past."
                    placeholder='{ span.http.route = "/search" }'
                    value={step.traceQL}
                    onChange={(traceQL) => change({ traceQL })}
                  />
                </>
              )}
            </RowList>
          </>
        )}
      </RowList>
    </Folded>
  );
}

/** What the backend would refuse, said while it is written. */
function problem({ service, operation, traceQL }: JourneyStep): string | undefined {
  if (traceQL) {
    return service || operation ? 'Give a service and an operation, or TraceQL: not both.' : undefined;
  }
  return service && operation ? undefined : 'Give a service and an operation, or TraceQL.';
}
