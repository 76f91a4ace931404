SELECT *
FROM logs
ORDER BY time_taken DESC, x_edge_request_id
