# Requests per operating system: dates compared as text, the user agent cut with index and substr.
BEGIN { FS = "\t" }
$1 >= "2014-07-05" && $1 <= "2014-08-05" {
    os = substr($11, index($11, "(") + 1)
    requests[substr(os, 1, index(os, ";") - 1)]++
}
END { for (os in requests) print os "\t" requests[os] }
