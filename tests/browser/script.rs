//! `window.ChatbotWidget`: every method and event, and what the model learns about the page.

use serde_json::{Value, json};

use crate::support::server::model::{Script, claude_says};
use crate::support::{
    BOX, FRAME, LAUNCHER, LiveModel, Model, PANEL, Page, Server, Site, visit, with_head, with_tag,
};

/// Records the events that the page receives, from the widget and from the window.
const LISTEN: &str = "<script>
  window.told = [];
  window.ChatbotWidget ||= [];
  for (const name of
    ['ready', 'opened', 'closed', 'session', 'message', 'message-sent', 'error', 'reset']) {
    ChatbotWidget.push(['on', name, (detail) => told.push([name, detail])]);
    addEventListener('chatbot:' + name, ({ detail }) => told.push(['chatbot:' + name, detail]));
  }
</script>";

#[tokio::test]
async fn calls_made_before_the_script_loads_run_once_it_has() {
    let model = LiveModel::start().await;
    let server = Server::with(&model.flags()).await;
    let early = "<script>(window.ChatbotWidget ||= []).push(['setLocale', 'es'],
        ['sendMessage', 'An early question'], ['open'])</script>";
    let page = with_tag(&server.base, "").replace("</title>", &format!("</title>{LISTEN}{early}"));
    let site = Site::of(page).await;
    visit(async |visitor| {
        visitor.goto(&site.url("/")).await;
        visitor.enter_chat().await;
        model.turn().await.answers("An early answer.");
        visitor.reads_answer("An early answer.").await;
        assert_eq!(
            visitor.conversation().await,
            ["user: An early question", "bot: An early answer."]
        );
        visitor.until("document.documentElement.lang === 'es'").await;
        visitor.leave_frame().await;
        visitor.until("told.some(([name]) => name === 'message')").await;
        let told = visitor.eval("return told.map(([name]) => name)").await;
        let told: Vec<String> = serde_json::from_value(told).unwrap();
        for name in ["ready", "opened", "session", "message-sent", "message"] {
            let dom = format!("chatbot:{name}");
            assert_eq!(told.iter().filter(|one| *one == name).count(), 1, "{name}: {told:?}");
            assert_eq!(told.iter().filter(|one| **one == dom).count(), 1, "{dom}: {told:?}");
        }
        // The widget has replaced the array, and `push` still works.
        visitor.eval("ChatbotWidget.push(['close'])").await;
        visitor.sees_no(PANEL).await;
    })
    .await;
}

#[tokio::test]
async fn every_method_and_event_works() {
    let too_long = Script::Status(413, &[], "{}".to_owned());
    let model = Model::start([claude_says("Hello you."), too_long, claude_says("Again.")]).await;
    let flags = model.flags();
    let server = Server::with(&flags).await;
    let page = with_tag(&server.base, "").replace("</title>", &format!("</title>{LISTEN}"));
    let site = Site::of(page).await;
    visit(async |visitor| {
        visitor.expects("413");
        visitor.goto(&site.url("/")).await;
        let told = async |name: &str| {
            let found = visitor
                .until(&format!("told.find(([name]) => name === '{name}')"))
                .await;
            visitor.until(&format!("told.find(([name]) => name === 'chatbot:{name}')")).await;
            visitor.eval("told.length = 0").await;
            found[1].clone()
        };
        let call = async |code: &str| {
            visitor.leave_frame().await;
            visitor.eval(&format!("ChatbotWidget.{code}")).await;
        };
        told("ready").await;
        call("open()").await;
        told("opened").await;
        visitor.enter_chat().await;
        visitor.until(&format!("document.activeElement === $('{BOX}')")).await;
        call("open()").await;
        assert_eq!(visitor.eval("return told").await, json!([]), "it is open");
        call("toggle()").await;
        told("closed").await;
        visitor.sees_no(PANEL).await;
        call("toggle()").await;
        told("opened").await;
        visitor.until(&format!("seen('{PANEL}')")).await;
        call("close()").await;
        told("closed").await;
        visitor.sees_no(PANEL).await;

        // Messages can be sent while it is hidden.
        call("hide()").await;
        visitor.sees_no(LAUNCHER).await;
        call("sendMessage('Hello?')").await;
        let session = visitor.until("told.find(([name]) => name === 'session')").await;
        let session = session[1]["sessionId"].as_str().unwrap().to_owned();
        assert_eq!(session.len(), 36, "{session}");
        let sent = visitor.until("told.find(([name]) => name === 'message-sent')").await;
        assert_eq!(sent[1]["message"], "Hello?");
        let message = told("message").await;
        assert_eq!(message["message"], "Hello you.");
        assert_eq!(message["sessionId"], *session);
        assert!(message["timestamp"].is_number(), "{message}");
        call("show()").await;
        visitor.element(LAUNCHER).await;

        call("sendMessage('Too long')").await;
        let error = told("error").await;
        assert_eq!(error["code"], "context_too_long");
        assert!(error["error"].as_str().unwrap().len() > 10, "{error}");

        call("reset()").await;
        told("reset").await;
        assert!(server.history(&session).await.is_empty());
        visitor.open_chat().await;
        assert_eq!(visitor.count("#messages-list .message").await, 0);

        call("setTheme('dark')").await;
        visitor.enter_chat().await;
        visitor.until("matchMedia && getComputedStyle(document.documentElement).colorScheme.includes('dark')").await;
        assert!(visitor.lightness("#messages-container").await < 0.25);
        call("setTheme('light')").await;
        call("setLocale('ja')").await;
        assert_eq!(visitor.attribute(LAUNCHER, "aria-label").await.unwrap(), "チャットを閉じる");
        visitor.enter_chat().await;
        visitor.until("document.documentElement.lang === 'ja'").await;
        assert!(visitor.lightness("#messages-container").await > 0.9);

        // A removed listener is not called any more.
        call("on('opened', (window.once = () => told.push(['once'])))").await;
        call("off('opened', window.once)").await;
        call("close()").await;
        call("open()").await;
        told("opened").await;
        assert_eq!(visitor.eval("return told.some(([name]) => name === 'once')").await, false);

        call("destroy()").await;
        assert_eq!(visitor.count("chatbot-widget").await, 0);
        assert_eq!(visitor.eval("return typeof window.ChatbotWidget").await, "undefined");
        // A new tag brings it back.
        visitor
            .eval(&format!(
                "const made = document.createElement('script');
                 made.src = '{}/embed.js?again';
                 document.head.append(made)",
                server.base
            ))
            .await;
        visitor.open_chat().await;
        visitor.ask("Still there?").await;
        visitor.reads_answer("Again.").await;
    })
    .await;
}

#[tokio::test]
async fn the_model_learns_what_the_page_shows() {
    let model = LiveModel::start().await;
    let server = Server::with(&model.flags()).await;
    let config = json!({
        "customInstructions": "Answer as a tea master.",
        "jsonData": [{"tea": "Assam", "price": 9}, {"tea": "Sencha", "price": 12}],
        "userIdentifier": "visitor-4",
    });
    let head = format!(
        "<script>window.ChatbotConfig = {config}</script>
         <script src=\"{}/embed.js\" async></script>",
        server.base
    );
    let site = Site::of(with_head(&head)).await;
    visit(async |visitor| {
        visitor.goto(&site.url("/?from=mail#secret-fragment")).await;
        visitor.open_chat().await;
        let asked = async |question: &str| {
            visitor.enter_chat().await;
            visitor.ask(question).await;
            let turn = model.turn().await;
            let told = format!("{}{}", turn.body["system"], turn.body["messages"]);
            turn.answers(&format!("Answer to {question}"));
            visitor.reads_answer(&format!("Answer to {question}")).await;
            visitor.leave_frame().await;
            told
        };
        let told = asked("one").await;
        for part in [
            "Harbour Teas",
            "Loose teas from a harbour town.",
            "The smoky blend costs 7 euros.",
            "/?from=mail",
            "Assam",
            "Sencha",
            "Answer as a tea master.",
        ] {
            assert!(told.contains(part), "no {part} in {told}");
        }
        for part in ["hunter2", "secret-fragment", "Menu of the site"] {
            assert!(!told.contains(part), "{part} in {told}");
        }
        // The page's content at the moment of sending is what counts.
        visitor
            .eval(
                "$('#price').textContent = 'The smoky blend is sold out.';
                 document.title = 'Sold out'; history.pushState(null, '', '/later')",
            )
            .await;
        let told = asked("two").await;
        assert!(told.contains("sold out") && told.contains("Sold out") && told.contains("/later"));
        assert!(!told.contains("costs 7 euros"), "{told}");

        visitor
            .eval(
                "ChatbotWidget.setContext({ title: 'My own title', basket: 'three cups' });
                 ChatbotWidget.setUser('visitor-5')",
            )
            .await;
        let told = asked("three").await;
        assert!(told.contains("My own title") && !told.contains("Sold out"), "{told}");
        assert!(told.contains("three cups"), "{told}");
        visitor.eval("ChatbotWidget.setContext(null)").await;
        let told = asked("four").await;
        assert!(told.contains("Sold out") && !told.contains("three cups"), "{told}");
    })
    .await;
}

#[tokio::test]
async fn pages_with_their_own_iframe_work_as_before() {
    let model = LiveModel::start().await;
    let server = Server::with(&model.flags()).await;
    let chat = &server.base;
    let page = with_head(&format!(
        "<script>
           window.told = [];
           addEventListener('message', (event) => {{
             if (event.origin === '{chat}' && event.source === frame().contentWindow)
               told.push(event.data);
           }});
           const frame = () => document.getElementById('chat');
           const say = (type, data) =>
             frame().contentWindow.postMessage({{ type, data }}, '{chat}');
         </script>"
    ))
    .replace(
        "</main>",
        &format!(
            "</main><iframe id=\"chat\" src=\"{chat}/widget/chatbot.html\" title=\"Chat\"
               style=\"width: 400px; height: 600px\"></iframe>"
        ),
    );
    let site = Site::of(page).await;
    visit(async |visitor| {
        visitor.goto(&site.url("/")).await;
        let told = async |kind: &str| {
            visitor.leave_frame().await;
            let found =
                visitor.until(&format!("told.find(({{ type }}) => type === '{kind}')")).await;
            visitor.eval("told.length = 0").await;
            found["data"].clone()
        };
        let say = async |kind: &str, data: Value| {
            visitor.leave_frame().await;
            visitor.eval(&format!("say('{kind}', {data})")).await;
        };
        told("widget_ready").await;
        say("configure", json!({"botName": "Old friend", "botColor": "#7d0a4f"})).await;
        let page = json!({"url": "https://teas.example/", "title": "An old page",
            "pageContent": "Green tea costs 3 crowns.", "hostname": "teas.example"});
        say("page_data", page).await;
        visitor.enter("#chat").await;
        visitor.sees("#bot-name", "Old friend").await;

        say("send_message", json!({"message": "What is green?"})).await;
        let turn = model.turn().await;
        let known = turn.body.to_string();
        assert!(known.contains("Green tea costs 3 crowns."), "{known}");
        turn.answers("Cheap.");
        visitor.until("told.some(({ type }) => type === 'session_created')").await;
        let message = told("message_received").await;
        assert_eq!(message["message"], "Cheap.");
        assert!(message["sessionId"].is_string() && message["timestamp"].is_number());

        say("minimize", json!({})).await;
        told("widget_minimized").await;
        visitor.enter("#chat").await;
        visitor.until("seen('#floating-icon') && !seen('#chatbot-container')").await;
        visitor.click("#floating-icon").await;
        visitor.until("seen('#chatbot-container')").await;
        visitor.click("#minimize-btn").await;
        visitor.until("seen('#floating-icon')").await;
        say("maximize", json!({})).await;
        visitor.enter("#chat").await;
        visitor.until("seen('#chatbot-container')").await;
        assert_eq!(visitor.conversation().await, ["user: What is green?", "bot: Cheap."]);
        say("clear_chat", json!({})).await;
        visitor.enter("#chat").await;
        visitor.until("!$$('#messages-list .message').length").await;
    })
    .await;
}

#[tokio::test]
async fn messages_from_other_origins_are_ignored() {
    let model = LiveModel::start().await;
    let server = Server::with(&model.flags()).await;
    let chat = &server.base;
    // A third-party frame in the same page posts to both: to the page, which listens for the chat's
    // messages, and to the chat's frame.
    let stranger = "<!doctype html><title>Stranger</title><script>
        addEventListener('message', () => {
          for (const type of ['widget_minimized', 'message_received', 'widget_ready'])
            parent.postMessage({ type, data: { message: 'forged' } }, '*');
          for (let at = 0; at < parent.length; at += 1)
            if (parent[at] !== window)
            for (const type of ['send_message', 'clear_chat', 'configure', 'minimize'])
              parent[at].postMessage({ type, data: { message: 'forged', botName: 'forged' } }, '*');
          parent.postMessage('knocked', '*');
        }, { once: true });
      </script>";
    let other = Site::with(vec![Page::new("/stranger", stranger)]).await;
    let page = with_tag(chat, "").replace("</title>", &format!("</title>{LISTEN}")).replace(
        "</main>",
        &format!(
            "</main><iframe id=\"stranger\" src=\"{}\"></iframe><script>
               addEventListener('message', ({{ data }}) => data === 'knocked' && (window.knocked = true));
             </script>",
            other.plain_url("/stranger")
        ),
    );
    let site = Site::of(page.clone()).await;
    visit(async |visitor| {
        visitor.goto(&site.url("/")).await;
        visitor.open_chat().await;
        visitor.ask("Who?").await;
        model.turn().await.answers("Me.");
        visitor.reads_answer("Me.").await;
        visitor.leave_frame().await;
        visitor.eval("told.length = 0; $('#stranger').contentWindow.postMessage('go', '*')").await;
        visitor.until("window.knocked").await;
        visitor.enter_chat().await;
        // Messages arrive in order, so those that the page posts now come last.
        visitor.leave_frame().await;
        visitor.eval("ChatbotWidget.setLocale('de')").await;
        visitor.enter_chat().await;
        visitor.until("document.documentElement.lang === 'de'").await;
        assert_eq!(visitor.conversation().await, ["user: Who?", "bot: Me."]);
        assert_eq!(visitor.text("#bot-name").await, "Claude Assistant");
        assert_eq!(model.waiting().await, 0, "nothing forged was asked");
        visitor.leave_frame().await;
        assert_eq!(visitor.eval("return told").await, json!([]));
        assert_eq!(visitor.eval(&format!("return seen('{PANEL}')")).await, true);

        // A server with a list of sites cannot be framed by others.
        let strict = Server::with(&["--allowed-origins", "https://teas.example"]).await;
        let page = with_tag(&strict.base, "data-open-on-load data-primary-color=\"#000000\"");
        let elsewhere = Site::of(page).await;
        visitor.expects("frame-ancestors");
        visitor.expects("chrome-error:");
        visitor.expects("page.js");
        visitor.goto(&elsewhere.url("/")).await;
        visitor.console_says("frame-ancestors").await;
        assert_eq!(visitor.eval(&format!("return seen('{FRAME}')")).await, false);
    })
    .await;
}
