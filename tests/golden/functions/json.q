-- get_json_object: paths, objects as text, what is not there.
SELECT get_json_object('{"a":{"b":[1,2,{"c":"x"}]},"n":null}', '$.a.b[0]'), get_json_object('{"a":{"b":[1,2,{"c":"x"}]}}', '$.a.b[2].c'),
  get_json_object('{"a":{"b":1}}', '$.a'), get_json_object('{"a":1}', '$.nope'), get_json_object('no json', '$.a'), get_json_object('{"n":null}', '$.n');
