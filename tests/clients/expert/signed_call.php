<?php
// Calls with a signature: the vendor's sample in PHP, its fictional client replaced by a stream, and
// then the answer in PHP's own format, as the vendor's library asks for it.
//
// https://expert-help.nice.com/Integrations_and_Extending_Content/API/Authorization_Tokens/Use_a_Server_API_Token_With_an_Integration
//
// Run it as `php signed_call.php [DATA/quickstart.json]`; without a file, EX_BASE, EX_KEY, EX_SECRET
// and EX_USER say where and on whose behalf.

if ($argc > 1) {
    $made = json_decode(file_get_contents($argv[1]), true);
    [$base, $key, $secret, $user] =
        [$made['base_url'], $made['expert']['key'], $made['expert']['secret'], $made['expert']['user']];
} else {
    [$base, $key, $secret, $user] = array_map('getenv', ['EX_BASE', 'EX_KEY', 'EX_SECRET', 'EX_USER']);
}

// hash time, key, user with secret
$epoch = time();
$hash = hash_hmac('sha256', ("{$key}_{$epoch}_{$user}"), $secret, false);
$token = "tkn_{$key}_{$epoch}_{$user}_{$hash}";

function get(string $url, string $token): string
{
    $http = ['header' => "X-Deki-Token: {$token}\r\n", 'ignore_errors' => true];
    $body = file_get_contents($url, false, stream_context_create(['http' => $http]));
    if (!str_contains($http_response_header[0], ' 200 ')) {
        fwrite(STDERR, "Error: {$http_response_header[0]} {$body}\n");
        exit(1);
    }
    return $body;
}

echo get("{$base}/@api/deki/pages/home/info", $token), "\n";
$body = unserialize(
    get("{$base}/@api/deki/users/current?dream.out.format=php", $token),
    ['allowed_classes' => false]
);
echo $body['user']['@id'], ' ', $body['user']['username'], "\n";
