import { Observable } from 'rxjs';
import {
  type DataFrame,
  type DataFrameJSON,
  dataFrameFromJSON,
  type DataQueryResponse,
  LoadingState,
} from '@grafana/data';
import { type GrafanaLiveSrv, type LiveDataStreamOptions } from '@grafana/runtime';

/** A channel's frames: a schema begins anew, rows without one are appended and push out those older than the buffer. */
function getDataStream({ addr, key, buffer }: LiveDataStreamOptions): Observable<DataQueryResponse> {
  const channel = `/api/live/${addr.stream}/${addr.path}?data=${encodeURIComponent(JSON.stringify(addr.data))}`;
  return new Observable((viewer) => {
    let frame: DataFrame | undefined;
    const events = new EventSource(channel);
    events.onmessage = ({ data }) => {
      const packet: DataFrameJSON = JSON.parse(data);
      frame = packet.schema ? dataFrameFromJSON(packet) : appended(frame, packet, buffer?.maxDelta);
      viewer.next({ key, data: frame ? [frame] : [], state: LoadingState.Streaming });
    };
    events.onerror = () => {
      // The browser asks again by itself where the stream ended, but not where it was refused.
      if (events.readyState === EventSource.CLOSED) {
        const errors = [{ message: 'The live channel was refused.' }];
        viewer.next({ key, data: [], state: LoadingState.Error, errors });
      }
    };
    return () => events.close();
  });
}

function appended(frame: DataFrame | undefined, { data }: DataFrameJSON, span = Infinity): DataFrame | undefined {
  const added = data?.values ?? [];
  const times: number[] = [...(frame?.fields[0]?.values ?? []), ...(added[0] ?? [])] as number[];
  const first = times.findIndex((time) => time >= times.at(-1)! - span);
  const fields = frame?.fields.map((field, column) => ({
    ...field,
    values: [...field.values, ...added[column]].slice(first),
  }));
  return frame && fields && { ...frame, fields, length: fields[0]?.values.length ?? 0 };
}

export const live = { getDataStream } as unknown as GrafanaLiveSrv;
