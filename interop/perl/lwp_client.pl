# LWP with Authen::NTLM, Perl's own NTLM. PEER_V2 asks for NTLMv2; without it this library sends NTLMv1.
# See ../README.md for what it is told and says.
use strict;
use warnings;
use Authen::NTLM;
use HTTP::Request;
use LWP::UserAgent;
use URI;

my $url = URI->new($ENV{PEER_URL});
my ($user, $domain) = ($ENV{PEER_USER} // '', $ENV{PEER_DOMAIN} // '');
Authen::NTLM::ntlmv2(1) if $ENV{PEER_V2};

my $agent = LWP::UserAgent->new(keep_alive => 1, timeout => 30);
$agent->credentials($url->host_port, '', "$domain\\$user", $ENV{PEER_PASSWORD} // '');
for (1 .. ($ENV{PEER_TIMES} // 1)) {
    my $request = HTTP::Request->new(defined $ENV{PEER_BODY} ? 'POST' : 'GET', $url);
    $request->header(Accept => 'application/json');
    $request->content($ENV{PEER_BODY}) if defined $ENV{PEER_BODY};
    my $answer = $agent->request($request);
    (my $text = $answer->content) =~ s/\s+/ /g;
    print $answer->code, " $text\n";
}
