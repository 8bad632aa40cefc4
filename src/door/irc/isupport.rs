//! The tokens of `005`: what clients may rely on.

use super::server::Server;
use crate::limits::{
    AWAY_BYTES, IRC_HISTORY_MESSAGES, IRC_REASON_BYTES, IRC_TARGETS, NAME_BYTES, NAME_CHARS, TOPIC_BYTES, WATCHES_EACH,
};

/// Tokens in a line at most: with the target and the words that is as many parameters as a line may have.
const A_LINE: usize = 13;

/// The tokens, as the parameters of one line each.
pub(super) fn lines(server: &Server) -> Vec<Vec<String>> {
    tokens(server).chunks(A_LINE).map(<[String]>::to_vec).collect()
}

fn tokens(server: &Server) -> Vec<String> {
    let targets = format!(
        "TARGMAX=JOIN:,PART:,KICK:{IRC_TARGETS},PRIVMSG:{IRC_TARGETS},NOTICE:{IRC_TARGETS},TAGMSG:{IRC_TARGETS},NAMES:1,\
         LIST:1,WHOIS:1,MONITOR:"
    );
    let mut tokens = vec![
        format!("AWAYLEN={AWAY_BYTES}"),
        "CASEMAPPING=ascii".to_owned(),
        format!("CHANLIMIT=#:{}", server.rooms),
        "CHANMODES=,k,,Pnt".to_owned(),
        format!("CHANNELLEN={}", NAME_CHARS + 1),
        "CHANTYPES=#&".to_owned(),
        "CLIENTTAGDENY=*".to_owned(),
        format!("KICKLEN={IRC_REASON_BYTES}"),
        "MODES=1".to_owned(),
        format!("MONITOR={WATCHES_EACH}"),
        format!("NETWORK={}", server.network),
        format!("NICKLEN={NAME_BYTES}"),
        "PREFIX=(o)@".to_owned(),
        "SAFELIST".to_owned(),
        targets,
        format!("TOPICLEN={TOPIC_BYTES}"),
        "UTF8ONLY".to_owned(),
        "WHOX".to_owned(),
    ];
    if server.keeps {
        tokens.push(format!("CHATHISTORY={IRC_HISTORY_MESSAGES}"));
        tokens.push("MSGREFTYPES=msgid,timestamp".to_owned());
    }
    tokens.sort_unstable();
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_those_of_the_design() {
        let all = lines(&Server::default()).concat().join(" ");
        assert_eq!(
            all,
            "AWAYLEN=200 CASEMAPPING=ascii CHANLIMIT=#:32 CHANMODES=,k,,Pnt CHANNELLEN=33 CHANTYPES=#& CHATHISTORY=50 \
             CLIENTTAGDENY=* KICKLEN=200 MODES=1 MONITOR=100 MSGREFTYPES=msgid,timestamp NETWORK=chatd NICKLEN=32 \
             PREFIX=(o)@ SAFELIST TARGMAX=JOIN:,PART:,KICK:4,PRIVMSG:4,NOTICE:4,TAGMSG:4,NAMES:1,LIST:1,WHOIS:1,MONITOR: \
             TOPICLEN=300 UTF8ONLY WHOX"
        );
        assert!(lines(&Server::default()).iter().all(|line| line.len() <= 13));
        let without = lines(&Server { keeps: false, ..Server::default() }).concat().join(" ");
        assert!(!without.contains("CHATHISTORY") && !without.contains("MSGREFTYPES"), "{without}");
    }
}
