-- parse_url in its parts.
SELECT parse_url('http://u:p@host.org:8080/a/b.html?k1=v1&k2=v2#ref', 'HOST'), parse_url('http://host.org/a/b.html?k1=v1&k2=v2#ref', 'PATH'),
  parse_url('http://host.org/a/b.html?k1=v1&k2=v2#ref', 'QUERY'), parse_url('http://host.org/a/b.html?k1=v1&k2=v2#ref', 'QUERY', 'k2'),
  parse_url('http://host.org/a#ref', 'REF'), parse_url('http://host.org/a', 'PROTOCOL'), parse_url('http://host.org/a', 'QUERY'),
  parse_url('http://host.org/a/b?x=1', 'FILE'), parse_url('http://host.org:80/a', 'AUTHORITY');
