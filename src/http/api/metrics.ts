// GET /metrics: measurements for Prometheus.
import type { Registry } from 'prom-client';
import { Raw, type Route, route } from '../route.ts';

export function metricsRoute(registry: Registry): Route {
  return route({
    method: 'GET',
    path: '/metrics',
    summary: 'Measurements for Prometheus',
    access: 'this-machine',
    media: 'text/plain',
    handle: async () => new Raw(registry.contentType, await registry.metrics()),
  });
}
