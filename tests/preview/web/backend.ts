import { from, type Observable } from 'rxjs';
import { type BackendSrv, type BackendSrvRequest, type FetchResponse } from '@grafana/runtime';

/** Requests to the host; an answer that is no success is thrown, as Grafana does. */
async function send<T>({ url, method = 'GET', data, params, headers }: BackendSrvRequest): Promise<FetchResponse<T>> {
  const search = params ? `?${new URLSearchParams(params)}` : '';
  const response = await fetch(url + search, {
    method,
    headers: { 'Content-Type': 'application/json', ...headers },
    body: data === undefined ? undefined : JSON.stringify(data),
  });
  const text = await response.text();
  const { status, statusText, ok, redirected, type } = response;
  const answer = { data: parsed(text), status, statusText, ok, headers: response.headers, redirected, type, url };
  const config = { url, method };
  if (!ok) {
    throw { ...answer, config, message: answer.data?.message ?? statusText };
  }
  return { ...answer, config };
}

function parsed(text: string) {
  try {
    return JSON.parse(text);
  } catch {
    return { message: text };
  }
}

const body = async (request: BackendSrvRequest) => (await send<any>(request)).data;

/** The part of Grafana's backend service that data sources use. */
export const backend = {
  fetch: <T>(request: BackendSrvRequest): Observable<FetchResponse<T>> => from(send<T>(request)),
  datasourceRequest: send,
  request: body,
  get: (url: string, params?: Record<string, string>) => body({ url, params }),
  post: (url: string, data?: unknown) => body({ url, method: 'POST', data }),
  put: (url: string, data?: unknown) => body({ url, method: 'PUT', data }),
} as unknown as BackendSrv;
