-- md5, sha1 and sha2 in lower-case hexadecimal, crc32 as a number; text and bytes of the same content have one digest.
SELECT md5('ABC'), sha('ABC'), sha1(unhex('414243')), crc32('ABC');
SELECT sha2('ABC', 224), sha2('ABC', 0);
SELECT sha2('ABC', 384);
SELECT sha2('ABC', 512);
SELECT md5(NULL), sha2('ABC', 7), sha2(NULL, 256), crc32(NULL), md5('');
