-- What a page on the whole pool asks of each of its factories: the gateways, and the newest year that
-- was judged. Without these it looks at every gateway, and at every verdict of a factory, each time.
CREATE INDEX gateway_factory ON registry.gateway (factory_id);
CREATE INDEX verdict_year ON kpi.verdict (factory_id, period_start);
