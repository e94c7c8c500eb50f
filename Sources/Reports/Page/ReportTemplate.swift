import Foundation
import Mustache

/// The page's HTML around its words, numbers and places. Values are escaped by `MarkupText`.
enum ReportTemplate {
  static func render(_ page: ReportPage) -> String {
    guard let html = library.render(page, withTemplate: "page") else { preconditionFailure("No template 'page'") }
    return html
  }

  private static let library = MarkupText.library([
    "page": page, "chart": chart, "table": table, "matrix": matrix, "style": style, "script": script,
  ])

  private static let page = #"""
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    {{^live}}<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">{{/live}}
    <title>{{heading}} - cosface</title>
    <link rel="icon" href="data:,">
    <style>{{>style}}</style>
    </head>
    <body>
    <main{{#live}}{{#ending}} data-ended{{/ending}}{{/live}}>
    <header>
    <h1>{{heading}}</h1>
    <p class="quiet">{{subtitle}}</p>
    {{#live}}<p id="state" class="quiet" role="status">{{^ending}}Renewed {{date}}, every {{seconds}} s while training runs.{{/ending}}{{#ending}}{{.}}{{/ending}}</p>{{/live}}
    </header>
    {{#notes}}<p class="note">{{.}}</p>
    {{/notes}}
    <ul class="tiles">
    {{#tiles}}<li class="card"><span class="quiet">{{name}}</span><b>{{figure}}</b><span class="quiet">{{remark}}</span></li>
    {{/tiles}}
    </ul>
    {{#sections}}
    <section aria-labelledby="{{identifier}}">
    <h2 id="{{identifier}}">{{heading}}</h2>
    {{#paragraphs}}<p class="quiet">{{.}}</p>
    {{/paragraphs}}
    {{#bars}}
    <figure class="card bars">
    <figcaption>{{title}}</figcaption>
    <svg viewBox="0 0 400 16" preserveAspectRatio="none" role="img" aria-label="{{title}}: {{words}}">{{#parts}}<rect class="bar c{{number}}" x="{{x}}" y="0" width="{{width}}" height="16"/>{{/parts}}</svg>
    <ul class="legend">{{#parts}}<li><svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true"><rect class="bar c{{number}}" width="12" height="12"/></svg>{{name}} {{share}}</li>{{/parts}}</ul>
    </figure>
    {{/bars}}
    <div class="charts">{{#charts}}{{>chart}}{{/charts}}</div>
    <div class="charts">{{#matrices}}{{>matrix}}{{/matrices}}</div>
    {{#tables}}
    <div class="card scroll" tabindex="0" role="region" aria-label="{{caption}}">{{>table}}</div>
    {{/tables}}
    <div class="pairs">{{#pairs}}<figure class="card">
    <div class="faces"><img src="{{firstAddress}}" alt="{{firstName}}" width="112" height="112"><img src="{{secondAddress}}" alt="{{secondName}}" width="112" height="112"></div>
    <figcaption>{{caption}}<span class="quiet">{{firstName}}</span><span class="quiet">{{secondName}}</span></figcaption>
    </figure>{{/pairs}}</div>
    </section>
    {{/sections}}
    <footer class="quiet">{{program}}, {{date}}</footer>
    </main>
    {{#live}}<script nonce="{{nonce}}">{{>script}}</script>{{/live}}
    </body>
    </html>

    """#

  private static let chart = #"""
    <figure class="card">
    <figcaption>{{heading}}</figcaption>
    <svg viewBox="0 0 400 240" role="img" aria-labelledby="{{identifier}}-title {{identifier}}-words">
    <title id="{{identifier}}-title">{{heading}}</title>
    <desc id="{{identifier}}-words">{{summary}}</desc>
    <polyline class="grid" points="54,10 54,196 392,196"/>
    {{#verticalTicks}}<line class="grid" x1="54" x2="392" y1="{{place}}" y2="{{place}}"/><text x="50" y="{{place}}" dy="0.32em" text-anchor="end">{{text}}</text>
    {{/verticalTicks}}
    {{#horizontalTicks}}<line class="grid" x1="{{place}}" x2="{{place}}" y1="{{gridTop}}" y2="200"/><text x="{{place}}" y="212" text-anchor="middle">{{text}}</text>
    {{/horizontalTicks}}
    <text x="223" y="231" text-anchor="middle">{{horizontalTitle}}</text>
    {{#verticalTitle}}<text transform="translate(11 103) rotate(-90)" text-anchor="middle">{{.}}</text>{{/verticalTitle}}
    {{#lines}}{{#area}}<polygon class="area c{{number}}" points="{{area}}"/>{{/area}}<polyline class="line c{{number}}" points="{{points}}"/>{{#dots}}<circle class="dot c{{number}}" cx="{{x}}" cy="{{y}}" r="2.5"/>{{/dots}}
    {{/lines}}
    {{#marks}}<line class="mark" x1="{{x}}" x2="{{x}}" y1="20" y2="196"/><text x="{{x}}" y="15" text-anchor="{{anchor}}">{{note}}</text>
    {{/marks}}
    </svg>
    {{#hasLegend}}<ul class="legend">{{#lines}}<li><svg viewBox="0 0 24 8" width="24" height="8" aria-hidden="true"><line class="line c{{number}}" x1="0" x2="24" y1="4" y2="4"/></svg>{{name}}</li>{{/lines}}</ul>{{/hasLegend}}
    <p class="quiet">{{summary}}</p>
    <details id="{{identifier}}-numbers"><summary>Numbers</summary><div class="scroll" tabindex="0" role="region" aria-label="Numbers: {{heading}}">{{#table}}{{>table}}{{/table}}</div></details>
    </figure>

    """#

  private static let table = #"""
    <table><caption>{{caption}}</caption>
    <thead><tr><th scope="col">{{corner}}</th>{{#columns}}<th scope="col">{{.}}</th>{{/columns}}</tr></thead>
    <tbody>
    {{#rows}}<tr{{#isDifferent}} class="different"{{/isDifferent}}><th scope="row">{{title}}{{#isDifferent}} <span class="tag">differs</span>{{/isDifferent}}</th>{{#cells}}<td>{{text}}</td>{{/cells}}</tr>
    {{/rows}}
    </tbody></table>

    """#

  private static let matrix = #"""
    <div class="card scroll" tabindex="0" role="region" aria-label="{{caption}}"><table class="matrix"><caption>{{caption}}</caption>
    <thead><tr><td></td>{{#columns}}<th scope="col"><abbr title="{{name}}">{{number}}</abbr></th>{{/columns}}</tr></thead>
    <tbody>
    {{#rows}}<tr>{{#person}}<th scope="row" title="{{name}}">{{number}} {{shortName}}</th>{{/person}}{{#cells}}<td{{#shade}} class="shade{{.}}"{{/shade}} title="{{words}}">{{text}}</td>{{/cells}}</tr>
    {{/rows}}
    </tbody></table></div>
    {{#table}}<div class="card scroll" tabindex="0" role="region" aria-label="{{caption}}">{{>table}}</div>{{/table}}

    """#

  static let style = #"""
    :root { color-scheme: light dark; --page: #f5f6f8; --card: #fff; --text: #1b1f24; --quiet: #57606a; --edge: #d8dee4;
      --note: #fff4d6; --c0: #0b5cad; --c1: #b3420a; --c2: #1a7a3c; --c3: #8a2be2; --c4: #8a6100; --c5: #b0125b; --heat: 179 66 10; }
    @media (prefers-color-scheme: dark) { :root { --page: #0f1317; --card: #181d23; --text: #e6e9ed; --quiet: #9aa5b1;
      --edge: #303842; --note: #3a3013; --c0: #6cb2ff; --c1: #ff9f66; --c2: #5fd68b; --c3: #c9a0ff; --c4: #e3c15a; --c5: #ff8fc0; --heat: 255 159 102; } }
    * { box-sizing: border-box; }
    body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; font-variant-numeric: tabular-nums; }
    main { max-width: 72rem; margin: 0 auto; padding: 1rem; overflow-wrap: break-word; }
    h1 { margin: 0; font-size: 1.6rem; } h2 { margin: 2rem 0 0.25rem; font-size: 1.2rem; } p { margin: 0.25rem 0; }
    .quiet { color: var(--quiet); font-size: 0.875rem; } .note { background: var(--note); padding: 0.5rem 0.75rem; border-radius: 0.5rem; }
    .card { background: var(--card); border: 1px solid var(--edge); border-radius: 0.75rem; padding: 0.75rem; margin: 0; min-width: 0; }
    .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: 0.75rem; padding: 0; margin: 1rem 0; list-style: none; }
    .tiles b { display: block; font-size: 1.5rem; line-height: 1.3; }
    .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: 0.75rem; margin: 0.75rem 0; align-items: start; }
    .charts:empty, .pairs:empty { display: none; }
    .pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(15.5rem, 1fr)); gap: 0.75rem; margin: 0.75rem 0; }
    .faces { display: flex; gap: 0.25rem; } .faces img { border-radius: 0.375rem; max-width: 50%; height: auto; }
    .pairs .quiet { display: block; } .bars { margin: 0.75rem 0; } .bars figcaption { margin-bottom: 0.5rem; } .bars > svg { height: 16px; }
    figcaption { font-weight: 600; } .pairs figcaption { font-weight: 400; font-size: 0.875rem; }
    svg { display: block; width: 100%; height: auto; overflow: visible; } svg text { font-size: 11px; fill: var(--quiet); }
    .grid { stroke: var(--edge); fill: none; }
    .mark { stroke: var(--text); stroke-width: 1.2; } .area { opacity: 0.18; }
    .line.c0 { stroke: var(--c0); } .line.c1 { stroke: var(--c1); stroke-dasharray: 6 2; } .line.c2 { stroke: var(--c2); stroke-dasharray: 2 2; }
    .line.c3 { stroke: var(--c3); stroke-dasharray: 8 3 2 3; } .line.c4 { stroke: var(--c4); stroke-dasharray: 4 4; }
    .line.c5 { stroke: var(--c5); stroke-dasharray: 1 3; } .line.c6 { stroke: var(--quiet); stroke-dasharray: 10 4; }
    .c0 { fill: var(--c0); } .c1 { fill: var(--c1); } .c2 { fill: var(--c2); } .c3 { fill: var(--c3); } .c4 { fill: var(--c4); }
    .c5 { fill: var(--c5); } .c6 { fill: var(--quiet); } .line { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
    .legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; padding: 0; margin: 0.25rem 0; list-style: none; font-size: 0.875rem; }
    .legend li { display: flex; align-items: center; gap: 0.375rem; } .legend svg { width: auto; flex: none; }
    .scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: 0.875rem; }
    caption { text-align: left; font-weight: 600; padding-bottom: 0.25rem; }
    th, td { text-align: left; padding: 0.25rem 0.75rem 0.25rem 0; border-top: 1px solid var(--edge); vertical-align: top; }
    th[scope=row] { font-weight: 400; color: var(--quiet); position: sticky; left: 0; background: var(--card); } .different td { font-weight: 600; }
    .tag { background: var(--note); color: var(--text); border-radius: 0.25rem; padding: 0 0.25rem; }
    .matrix { width: auto; } .matrix td, .matrix th[scope=col] { text-align: center; min-width: 1.75rem; padding: 0.25rem; }
    .matrix th[scope=row] { white-space: nowrap; padding-right: 0.5rem; } abbr { text-decoration: none; } .shade1 { background: rgb(var(--heat) / 0.15); }
    .shade2 { background: rgb(var(--heat) / 0.3); } .shade3 { background: rgb(var(--heat) / 0.45); } .shade4 { background: rgb(var(--heat) / 0.6); }
    summary { cursor: pointer; font-size: 0.875rem; } footer { margin-top: 2rem; }
    section > .card + .card { margin-top: 0.75rem; }
    @media (max-width: 30rem) { svg text { font-size: 13px; } th, td { padding-right: 0.5rem; } }
    @media print { details > * { display: block; } .card { break-inside: avoid; } }
    """#

  /// Fetches the page anew and puts its middle in place of this one's; opened tables stay open. Ends with the run, and
  /// asks ever less often where nobody answers.
  private static let script = #"""
    let pause = {{seconds}};
    const renew = async () => {
      try {
        const answer = await fetch(location.href, { cache: 'no-store' });
        if (!answer.ok) throw answer.status;
        const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
        const open = [...document.querySelectorAll('details[open]')].map(each => each.id);
        document.querySelector('main').replaceWith(page.querySelector('main'));
        for (const id of open) document.getElementById(id)?.setAttribute('open', '');
        document.title = page.title;
        pause = {{seconds}};
        if ('ended' in document.querySelector('main').dataset) return;
      } catch {
        document.getElementById('state').textContent =
          'No answer: training was broken off, or the connection to it. This is the last state that was seen.';
        pause = Math.min(2 * pause, 60);
      }
      setTimeout(renew, 1000 * pause);
    };
    if (!('ended' in document.querySelector('main').dataset)) setTimeout(renew, 1000 * pause);
    """#
}

/// Text for HTML and SVG: escaped scalar by scalar, so that a mark which joins a quote or an angle bracket to one
/// character (U+0301 behind ", for one) does not smuggle it through. Control characters are left out.
struct MarkupText: MustacheContentType {
  /// Templates by their names, which escape what they are given.
  static func library(_ templates: [String: String]) -> MustacheLibrary {
    MustacheContentTypes.register(MarkupText(), named: "MARKUP")
    do {
      // A partial starts with the library's own escaping, so each says which one it wants.
      return MustacheLibrary(
        templates: try templates.mapValues { try MustacheTemplate(string: "{{%CONTENT_TYPE:MARKUP}}\n" + $0) })
    } catch { preconditionFailure("A template that does not parse: \(error)") }
  }

  func escapeText(_ text: String) -> String {
    var result = ""
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "&": result += "&amp;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\t", "\n": result.unicodeScalars.append(scalar)
      case "\0"..."\u{1F}", "\u{7F}"..."\u{9F}": continue
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
