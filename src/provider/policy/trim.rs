//! Making a prompt shorter that a model found too long.

use crate::provider::{Request, Turn};

/// Leaves out the older half of the conversation before the question, in whole exchanges, so that
/// what remains begins with a user's words. The question stays, and so do the calls and results
/// that came of it. Answers whether anything was left out.
pub fn older_half(request: &mut Request) -> bool {
    let is_user = |turn: &Turn| matches!(turn, Turn::User(_));
    let Some(question) = request.turns.iter().rposition(is_user) else { return false };
    let half = question.div_ceil(2);
    let rest = request.turns.iter().skip(half).position(is_user);
    let cut = rest.map_or(question, |further| half + further);
    request.turns.drain(..cut);
    cut > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{ToolCall, ToolChoice, ToolResult};

    fn trimmed(turns: Vec<Turn>) -> (bool, Vec<Turn>) {
        let mut request = Request {
            model: String::new(),
            system: String::new(),
            turns,
            tools: Vec::new(),
            tool_choice: ToolChoice::Auto,
            max_tokens: 1,
            temperature: None,
        };
        (older_half(&mut request), request.turns)
    }

    fn exchanges(from: usize, to: usize) -> Vec<Turn> {
        let exchange = |n| [Turn::user(format!("q{n}")), Turn::assistant(format!("a{n}"))];
        (from..to).flat_map(exchange).chain([Turn::user("question")]).collect()
    }

    #[test]
    fn the_older_half_goes_and_the_question_stays() {
        for (before, after) in [(1, 0), (2, 1), (3, 1), (4, 2), (7, 3)] {
            let left = exchanges(before - after, before);
            assert_eq!(trimmed(exchanges(0, before)), (true, left), "{before}");
        }
        assert_eq!(trimmed(exchanges(0, 0)), (false, exchanges(0, 0)));
        assert_eq!(trimmed(Vec::new()), (false, Vec::new()));
    }

    #[test]
    fn calls_stay_with_their_results() {
        let call = ToolCall { id: "1".into(), name: "f".into(), arguments: "{}".into() };
        let result = ToolResult { call_id: "1".into(), content: "2".into(), is_error: false };
        let round = [
            Turn::Assistant { text: String::new(), calls: vec![call] },
            Turn::ToolResults(vec![result]),
        ];
        let with_round = |mut turns: Vec<Turn>| {
            turns.extend(round.clone());
            turns
        };
        let (has_changed, turns) = trimmed(with_round(exchanges(0, 2)));
        assert_eq!((has_changed, turns), (true, with_round(exchanges(1, 2))));
        // An earlier question with its calls goes as a whole.
        let mut earlier = with_round(vec![Turn::user("q")]);
        earlier.extend([Turn::assistant("a"), Turn::user("question")]);
        assert_eq!(trimmed(earlier), (true, vec![Turn::user("question")]));
    }
}
