import { type Observable } from 'rxjs';
import { CustomVariableSupport, type DataQueryRequest, type DataQueryResponse } from '@grafana/data';
import { VariableQueryEditor } from './editor/VariableQueryEditor';
import { type ForesightQuery, type NamesQuery } from './query';
import { type ForesightSettings } from './settings';
import { type Source } from './source';

/** Dashboard variables are ordinary queries of the backend. */
export class ForesightVariables extends CustomVariableSupport<Source, NamesQuery, ForesightQuery, ForesightSettings> {
  editor = VariableQueryEditor;

  constructor(private readonly datasource: Source) {
    super();
  }

  query(request: DataQueryRequest<NamesQuery>): Observable<DataQueryResponse> {
    return this.datasource.query({
      ...request,
      targets: request.targets.map((target) => ({ ...target, refId: target.refId || 'variable' })),
    });
  }
}
