# frozen_string_literal: true

# A client in Ruby, against the example data of `screenerd serve --demo`.
#
#     ruby -I gen story.rb 127.0.0.1:8080

require 'google/protobuf/well_known_types'
require 'google/rpc/error_details_pb'
require 'google/rpc/status_pb'
require 'grpc'
require 'grpc/health/v1/health_services_pb'
require 'screener/v1/panelist_service_services_pb'
require 'screener/v1/panelist_session_service_services_pb'
require 'screener/v1/screener_session_service_services_pb'
require 'screener/v1/submission_service_services_pb'

include Screener::V1

# The service token of the example data. It authorizes every call except a panelist's own.
KEY = { 'authorization' => 'Bearer sdk_demo_acct_123' }.freeze

# Returns a client of one service, with a default deadline of five seconds.
def client(service)
  service::Stub.new(ARGV.fetch(0), :this_channel_is_insecure, timeout: 5)
end

# Returns a detail of a refusal: the stable reason, or the fields with violations.
def detail(error, type)
  any = error.to_rpc_status&.details&.find { |it| it.is(type) }
  any&.unpack(type)
end

def read(sessions)
  filter = ScreenerSessionFilter.new(
    screener_id: IdFilter.new(eq: 'scr_124'),
    id: IdFilter.new(in: IdList.new(values: %w[scses_790 scses_792 scses_793 scses_none]))
  )
  ids = []
  pages = 0
  loop do
    # The server may lower the limit, so advance by the number of items received.
    pagination = Pagination.new(limit: 2, offset: ids.size)
    request = ListScreenerSessionsRequest.new(filter: filter, pagination: pagination)
    page = sessions.list_screener_sessions(request, metadata: KEY)
    ids.concat(page.items.map(&:id))
    pages += 1
    next unless page.items.empty? || ids.size >= page.total

    puts "sessions: #{ids.join(', ')} (#{page.total} in #{pages} pages)"
    break
  end

  request = GetScreenerSessionRequest.new(id: 'scses_790')
  session = sessions.get_screener_session(request, metadata: KEY).screener_session
  completed = Time.at(session.completed_at.seconds).utc.strftime('%Y-%m-%dT%H:%M:%SZ')
  puts "session: #{session.id}, completed at #{completed}"
end

def answer(panelists, answers)
  request = GetPanelistAccessRequest.new(survey_id: 'survey-123', panelist_id: 'customer-456')
  panelist = panelists.get_panelist_access(request, metadata: KEY).panelist_access.panelist
  can = panelist.can_respond ? 'can respond' : 'cannot respond'
  # An unset time is nil.
  active = panelist.activity_started_at ? 'active' : 'never active'
  puts "panelist: customer-456 #{can}, #{active} before"

  request = SubmitAnswersRequest.new(
    answers: { 'scq_satisfaction' => AnswerValue.new(number: 4) },
    is_final: true,
    # An id of your choice makes a repeated call idempotent.
    request_id: 'customer-456-first'
  )
  # The participant gets the panelist key, the only credential of these calls.
  panelist_key = { 'authorization' => panelist.public_key }
  submitted = answers.submit_answers(request, metadata: panelist_key)
  done = submitted.state == :SCREENER_SESSION_STATE_COMPLETED
  puts "answered: #{done ? 'completed' : 'in progress'}"
end

def reject(submissions)
  message = 'The answers contradict each other.'
  request = RejectSubmissionRequest.new(project_id: 'proj_123', id: 'scses_790', message: message)
  submission = submissions.reject_submission(request, metadata: KEY).submission
  puts "rejected: #{submission.rejection.message}"
  again = submissions.reject_submission(request, metadata: KEY).submission
  puts "rejected again: #{again == submission ? 'nothing' : 'something'} changed"
end

def refused(sessions)
  none = GetScreenerSessionRequest.new(id: 'scses_none')
  begin
    sessions.get_screener_session(none, metadata: KEY)
  rescue GRPC::NotFound => e
    puts "not found: #{detail(e, Google::Rpc::ErrorInfo)&.reason}"
  end
  begin
    sessions.get_screener_session(none)
  rescue GRPC::Unauthenticated => e
    puts "no key: #{detail(e, Google::Rpc::ErrorInfo)&.reason}"
  end
  begin
    pagination = Pagination.new(limit: 0, offset: -1)
    request = ListScreenerSessionsRequest.new(pagination: pagination)
    sessions.list_screener_sessions(request, metadata: KEY)
  rescue GRPC::InvalidArgument => e
    detail(e, Google::Rpc::BadRequest)&.field_violations&.each do |violation|
      puts "invalid: #{violation.field}: #{violation.description}"
    end
  end
end

def watch(health)
  # The server ends this stream only at shutdown, so the deadline ends it.
  health.watch(Grpc::Health::V1::HealthCheckRequest.new, deadline: Time.now + 2).each do |update|
    puts "watch: #{update.status == :SERVING ? 'serving' : 'not serving'}"
  end
rescue GRPC::DeadlineExceeded
  puts 'deadline: exceeded'
end

sessions = client(ScreenerSessionService)
read(sessions)
answer(client(PanelistService), client(PanelistSessionService))
reject(client(SubmissionService))
refused(sessions)
watch(client(Grpc::Health::V1::Health))
