-- A write changes the total of its tenant's audit log before any other count, so it is always there.
INSERT INTO list_totals (tenant_id, list, scope, scope_id, total)
SELECT id, 'changes', 'tenant', '', 0 FROM tenants WHERE TRUE ON CONFLICT DO NOTHING;
