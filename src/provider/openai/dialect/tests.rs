use super::*;
use crate::provider::{Entry, ToolChoice, ToolSpec};
use Objection::{Lowest, NotTaken, TooLarge, TooSmall};

fn request() -> ModelRequest {
    ModelRequest {
        model: "m".to_owned(),
        system: String::new(),
        entries: vec![Entry::user("?")],
        tools: Vec::new(),
        tool_choice: ToolChoice::Auto,
        max_tokens: 1000,
        temperature: Some(0.5),
    }
}

fn with_tools() -> ModelRequest {
    let parameters = serde_json::json!({"type": "object"});
    let tools = vec![ToolSpec { name: "t", description: String::new(), parameters }];
    ModelRequest { tools, ..request() }
}

fn without(
    dialect: ModelDialect,
    parameter: Parameter,
    objection: Objection,
) -> Option<ModelDialect> {
    dialect.without(Refused { parameter, objection }, Host::Compatible, &request())
}

const HOSTS: [Host; 3] = [Host::OpenAi, Host::Azure, Host::Compatible];

#[test]
fn models_are_asked_not_to_think_where_they_know_the_parameter() {
    let effort = |host, api, model| ModelDialect::of(host, api, model).effort;
    let thinking =
        ["o1", "o4-mini-2025-04-16", "gpt-5", "gpt-5.4-mini", "ft:gpt-5:me::x", "gpt-6-luna"];
    for (models, own, elsewhere) in [
        (&thinking[..], Some(Effort::None), Some(Effort::None)),
        (&["gpt-4o", "gpt-4.1", "gpt-3.5-turbo", "gpt-35-turbo", "chatgpt-4o-latest"], None, None),
        // A deployment on Azure may have any name.
        (&["prod", "omni", ""], Some(Effort::None), None),
        (&["gpt-oss:20b"], Some(Effort::None), None),
    ] {
        for model in models {
            assert_eq!(effort(Host::OpenAi, Api::Responses, model), own, "{model}");
            assert_eq!(effort(Host::Azure, Api::Chat, model), own, "{model}");
            assert_eq!(effort(Host::Compatible, Api::Responses, model), elsewhere, "{model}");
            assert_eq!(effort(Host::Compatible, Api::Chat, model), None, "{model}");
        }
    }
}

#[test]
fn refused_parameters_are_renamed_lowered_or_left_out() {
    use LimitName::*;
    let local = ModelDialect::of(Host::Compatible, Api::Chat, "m");
    let renamed = without(local, Parameter::MaxTokens, NotTaken).unwrap();
    assert_eq!(renamed, ModelDialect { limit: MaxCompletionTokens, renamed: true, ..local });
    // Another call was refused for the same reason before it could know.
    assert_eq!(without(renamed, Parameter::MaxTokens, NotTaken), Some(renamed));
    let neither = without(renamed, Parameter::MaxCompletionTokens, NotTaken);
    assert_eq!(neither, Some(ModelDialect { limit: Unlimited, ..renamed }));
    let own = ModelDialect::of(Host::OpenAi, Api::Chat, "gpt-4o");
    let renamed = without(own, Parameter::MaxCompletionTokens, NotTaken).unwrap();
    assert_eq!(renamed, ModelDialect { limit: MaxTokens, renamed: true, ..own });

    let lowered = without(own, Parameter::MaxTokens, TooLarge(Some(500)));
    assert_eq!(lowered, Some(ModelDialect { max_tokens: 500, ..own }));
    for more_than_asked in [TooLarge(None), TooLarge(Some(2000))] {
        let dialect = without(local, Parameter::MaxTokens, more_than_asked);
        assert_eq!(dialect, Some(ModelDialect { limit: Unlimited, ..local }));
    }
    let cold = without(own, Parameter::Temperature, NotTaken);
    assert_eq!(cold, Some(ModelDialect { temperature: false, ..own }));
    let uncounted = without(own, Parameter::StreamOptions, NotTaken);
    assert_eq!(uncounted, Some(ModelDialect { stream_options: false, ..own }));

    let responses = ModelDialect::of(Host::Compatible, Api::Responses, "m");
    let unlimited = without(responses, Parameter::MaxOutputTokens, NotTaken);
    assert_eq!(unlimited, Some(ModelDialect { limit: Unlimited, ..responses }));
    let uncached = without(responses, Parameter::PromptCacheKey, NotTaken);
    assert_eq!(uncached, Some(ModelDialect { cache_key: false, ..responses }));

    // What was not sent cannot be left out.
    for parameter in [Parameter::TopP, Parameter::CacheControl, Parameter::Include] {
        assert_eq!(without(own, parameter, NotTaken), None);
    }
    assert_eq!(without(responses, Parameter::StreamOptions, NotTaken), None);
    let refused = Refused { parameter: Parameter::Temperature, objection: NotTaken };
    let request = ModelRequest { temperature: None, ..request() };
    assert_eq!(own.without(refused, Host::OpenAi, &request), None);
}

#[test]
fn only_compatible_servers_lose_their_tools() {
    let refused = Refused { parameter: Parameter::Tools, objection: NotTaken };
    for host in HOSTS {
        let dialect = ModelDialect::of(host, Api::Chat, "m");
        let expected =
            (host == Host::Compatible).then_some(ModelDialect { tools: false, ..dialect });
        assert_eq!(dialect.without(refused, host, &with_tools()), expected, "{host:?}");
        assert_eq!(dialect.without(refused, host, &request()), None, "{host:?}");
    }
}

#[test]
fn a_model_that_always_thinks_gets_its_lowest_effort_with_room_and_no_temperature() {
    let fast = ModelDialect::of(Host::OpenAi, Api::Responses, "gpt-6-astra");
    assert!(fast.has_temperature() && !fast.thinks());
    assert_eq!(fast.answer_limit(&request()), 1000);
    for (effort, limit) in
        [(Effort::Minimal, 3000), (Effort::Low, 3000), (Effort::Medium, 9000), (Effort::Max, 9000)]
    {
        let thinking = without(fast, Parameter::ReasoningEffort, Lowest(effort)).unwrap();
        assert_eq!(thinking, ModelDialect { effort: Some(effort), ..fast });
        assert!(thinking.thinks() && !thinking.has_temperature());
        assert_eq!(thinking.answer_limit(&request()), limit);
    }
    let unknown = without(fast, Parameter::ReasoningEffort, NotTaken).unwrap();
    assert_eq!(unknown, ModelDialect { effort: None, ..fast });
    assert!(unknown.has_temperature());
    assert_eq!(without(unknown, Parameter::ReasoningEffort, NotTaken), None);
}

/// Regression: 5 tokens were refused, and the limit was then left out for all sessions.
#[test]
fn openai_is_asked_for_at_least_sixteen_tokens() {
    for (wanted, own, local) in [(1, 16, 1), (15, 16, 15), (16, 16, 16), (17, 17, 17)] {
        let request = ModelRequest { max_tokens: wanted, ..request() };
        let limit = |host, api| ModelDialect::of(host, api, "gpt-4o").answer_limit(&request);
        assert_eq!(limit(Host::OpenAi, Api::Chat), own);
        assert_eq!(limit(Host::Compatible, Api::Responses), own);
        assert_eq!(limit(Host::Compatible, Api::Chat), local);
    }
    let local = ModelDialect::of(Host::Compatible, Api::Chat, "m");
    let raised = |least| {
        let refused = Refused { parameter: Parameter::MaxTokens, objection: TooSmall(least) };
        let request = ModelRequest { max_tokens: 5, ..request() };
        local.without(refused, Host::Compatible, &request)
    };
    assert_eq!(raised(Some(16)), Some(ModelDialect { min_tokens: 16, ..local }));
    assert_eq!((raised(Some(5)), raised(None)), (None, None));
}

/// Regression: the same call was repeated with the same limit.
#[test]
fn an_answer_that_does_not_begin_gets_more_room_until_there_is_no_more() {
    let limits = |mut dialect: ModelDialect| {
        let mut limits = Vec::new();
        while let Some(more) = without(dialect, Parameter::ThinkingRoom, TooSmall(None)) {
            limits.push(more.answer_limit(&request()));
            dialect = more;
        }
        limits
    };
    let local = ModelDialect::of(Host::Compatible, Api::Chat, "m");
    let fast = ModelDialect::of(Host::OpenAi, Api::Responses, "gpt-6-luna");
    assert_eq!(limits(local), [3_000, 9_000, 26_000]);
    assert_eq!(limits(ModelDialect { effort: Some(Effort::Low), ..local }), [9_000, 26_000]);
    assert_eq!(limits(fast), [3_000], "a tool call may have been cut");
    assert_eq!(limits(ModelDialect { limit: LimitName::Unlimited, ..local }), [0; 0]);
    assert_eq!(limits(ModelDialect { max_tokens: 1_000, ..local }), [0; 0]);
    assert_eq!(limits(ModelDialect { max_tokens: 2_000, ..local }), [2_000]);
    let most = ModelDialect { room: 25_000, ..local };
    let endless = ModelRequest { max_tokens: u32::MAX, ..request() };
    assert_eq!(most.answer_limit(&endless), u32::MAX);
}

#[test]
fn the_api_is_switched_once_and_chat_completions_without_thoughts_is_the_last_resort() {
    for host in HOSTS {
        let chat = ModelDialect::of(host, Api::Chat, "gpt-4o");
        let responses = chat.over_responses(host, false, "gpt-4o").unwrap();
        assert_eq!((responses.api, responses.effort), (Api::Responses, Some(Effort::None)));
        // Another call was refused for the same reason before it could know.
        assert_eq!(responses.over_responses(host, false, "gpt-4o"), Some(responses));

        let back = responses.over_chat(host, true, "gpt-4o");
        assert_eq!((back.api, back.effort), (Api::Chat, Some(Effort::None)));
        assert_eq!(back.over_chat(host, true, "gpt-4o"), back);
        assert_eq!(back.over_responses(host, false, "gpt-4o"), None);

        let missing = responses.over_chat(host, false, "gpt-4o");
        assert_eq!((missing.api, missing.effort), (Api::Chat, None));
        let last = missing.over_responses(host, false, "gpt-4o").unwrap();
        assert_eq!((last.api, last.effort), (Api::Chat, Some(Effort::None)));

        let fixed = chat.over_responses(host, true, "gpt-4o").unwrap();
        assert_eq!(fixed, ModelDialect { effort: Some(Effort::None), ..chat });
        assert_eq!(fixed.over_responses(host, true, "gpt-4o"), None);
    }
}

/// Regression: one visitor's limit of a token gave every session of the model 25,000 more.
#[test]
fn a_low_limit_alone_teaches_nothing_about_the_model() {
    let local = ModelDialect::of(Host::Compatible, Api::Chat, "m");
    let cut = |dialect: ModelDialect, max_tokens, tools| {
        let refused = Refused { parameter: Parameter::MaxTokens, objection: TooSmall(None) };
        let request = ModelRequest { max_tokens, ..if tools { with_tools() } else { request() } };
        dialect.without(refused, Host::Compatible, &request)
    };
    assert_eq!(cut(local, 1, false), None);
    assert_eq!(cut(local, SURE_OF_A_WORD - 1, false), None);
    assert_eq!(cut(local, SURE_OF_A_WORD, false), Some(ModelDialect { room: 2_000, ..local }));

    let calls = cut(local, 1, true).unwrap();
    assert_eq!(calls, ModelDialect { least_with_tools: CALL, ..local });
    assert_eq!(cut(calls, CALL, true), Some(ModelDialect { room: 2_000, ..calls }));
    let limit = |max_tokens, request| calls.answer_limit(&ModelRequest { max_tokens, ..request });
    assert_eq!((limit(1, with_tools()), limit(1, request())), (CALL, 1));
    assert_eq!(limit(2 * CALL, with_tools()), 2 * CALL, "no more for anybody else");
}

/// Regression: "tools cannot be used with this model unless reasoning_effort is 'none'" was the end of
/// every question about a file.
#[test]
fn a_model_that_thinks_by_default_is_asked_not_to_where_it_calls_tools() {
    let local = ModelDialect::of(Host::Compatible, Api::Chat, "m");
    let refused = Refused { parameter: Parameter::ReasoningEffort, objection: NotTaken };
    let asked = local.without(refused, Host::Compatible, &with_tools());
    assert_eq!(asked, Some(ModelDialect { effort: Some(Effort::None), ..local }));
    assert_eq!(local.without(refused, Host::Compatible, &request()), None);
}
